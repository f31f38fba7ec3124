/* SPDX-License-Identifier: GPL-2.0-or-later
 * Calls that have left their stub, and may go back to it. */
#ifndef PT_FAST_RETRY_H
#define PT_FAST_RETRY_H

#include "fast/image/image.h"
#include "machine/registers.h"

/* A call stands before its instruction in a twin, with these registers. Was what kept it from being counted in the stub
 * only that the ring had no room, or that its fd was not known? Then it is otherwise now. */
bool retry_passes(struct pt_tracer *t, struct image *image, struct tracee *tracee, const struct registers *regs,
		  uint64_t number);
/* Where in the stub: behind the replaced instructions, which are done. */
uint64_t retry_at(const struct fast_site *site);

#endif
