/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PT_FAST_CANCEL_H
#define PT_FAST_CANCEL_H

#include "fast/image.h"

/* The thread, which may be about to be cancelled, does not stand in a stub when its handler begins. */
void cancel_before_signal(struct pt_tracer *t, struct image *image, struct tracee *tracee);

#endif
