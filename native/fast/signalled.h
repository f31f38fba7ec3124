/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PT_FAST_SIGNALLED_H
#define PT_FAST_SIGNALLED_H

#include "fast/image/image.h"

/* A signal is about to be delivered. If it has a handler, that will not find its thread in the middle of a stub: the
 * handler may never return (siglongjmp, exit), or unwind the stack. */
void signalled(struct pt_tracer *t, struct image *image, struct tracee *tracee, int signal);

#endif
