/* SPDX-License-Identifier: GPL-2.0-or-later
 * Why a process is not, or only in part, counted inside of it. */
#ifndef PT_FAST_FALLBACK_H
#define PT_FAST_FALLBACK_H

#include "state/tracer.h"

/* Tells it, once for each reason and process. error: errno, or 0. */
void fallback_report(struct pt_tracer *t, struct tracee *tracee, enum pt_fallback reason, int error);
/* What the -errno of image_create() means. */
enum pt_fallback fallback_of(int error);
/* Could stubs work in this process at all? If not, the reason has been reported. */
bool fallback_none(struct pt_tracer *t, struct tracee *tracee);

#endif
