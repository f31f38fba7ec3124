/* SPDX-License-Identifier: GPL-2.0-or-later
 * Threads that stand in the middle of a stub. */
#ifndef PT_FAST_INFLIGHT_H
#define PT_FAST_INFLIGHT_H

#include "fast/image/image.h"
#include "machine/registers.h"

/* The thread, which is stopped, will not write its record: what its call has come to is counted now. dies: a call that
 * the death has interrupted is none. True if there was such a call. */
bool inflight_count(struct pt_tracer *t, struct image *image, struct tracee *tracee, const struct registers *regs,
		    bool dies);
/* And if it lives, it goes on behind that. True if it has made its call; regs are changed then, and yet to be written.
 */
bool inflight_finish(const struct image *image, struct registers *regs);

#endif
