/* SPDX-License-Identifier: GPL-2.0-or-later
 * A thread inside of ending.S, and the way out of there. */
#ifndef PT_FAST_ENDER_H
#define PT_FAST_ENDER_H

#include "fast/image/image.h"
#include "machine/registers.h"

/* The thread, which stands, goes on in its stub: if its entry is not whole yet as if none had been free, and it has
 * none. True if it was in there; regs are changed then, and yet to be written. */
bool ender_leaves(const struct image *image, pid_t tid, struct registers *regs);

#endif
