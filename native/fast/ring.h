/* SPDX-License-Identifier: GPL-2.0-only
 * The records that stubs have written. */
#ifndef PT_FAST_RING_H
#define PT_FAST_RING_H

#include "fast/image.h"
#include "registers.h"

/* Reads what is new and tells it. Before anything of this process is handled that comes after it. */
void ring_drain(struct pt_tracer *t, struct image *image);
/* The tracee, which is stopped there, will not run on in its stub: what its call has moved is counted. */
void ring_resolve(struct pt_tracer *t, struct image *image, struct tracee *tracee, const struct registers *regs);

#endif
