/* SPDX-License-Identifier: GPL-2.0-or-later
 * A thread that is closing an fd in a stub, and will not go on there. */
#ifndef PT_FAST_CLOSER_H
#define PT_FAST_CLOSER_H

#include "fast/image/image.h"
#include "machine/registers.h"

/* Does what it had still to do: the fd's slot no longer says that it is being closed. True if it was doing that. */
bool closer_leaves(const struct image *image, const struct registers *regs);

#endif
