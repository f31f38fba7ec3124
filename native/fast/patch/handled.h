/* SPDX-License-Identifier: GPL-2.0-or-later
 * Signal handlers that return to stubs and twins. */
#ifndef PT_FAST_HANDLED_H
#define PT_FAST_HANDLED_H

#include "fast/image/image.h"
#include "machine/registers.h"

/* A signal is about to be delivered to this thread, whose registers are these. */
void handled_note(struct image *image, pid_t tid, const struct registers *regs);
/* All threads stand. May one of those handlers have left its stack, and return later? */
bool handled_may_return(const struct image *image);

#endif
