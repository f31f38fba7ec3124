/* SPDX-License-Identifier: GPL-2.0-only
 * Threads that ask the tracer to look at a call (ask.S). */
#ifndef PT_FAST_ASKING_H
#define PT_FAST_ASKING_H

#include "fast/image.h"
#include "registers.h"

/* Does a thread at this address go on to its call without asking again? */
bool asking_is_seen(uint64_t address);
/* The registers of a thread that asks, as they were before it began to, but for r11, which is the address of the call;
 * false: it does not ask. *mask: the signals that it has blocked, if that is another mask than it has now. */
bool asking_registers(const struct image *image, struct registers *regs, uint64_t *mask);

/* A stopped thread that asks is at its call in the program instead, as if it had not come to a stub. */
void asking_leave(struct pt_tracer *t, const struct image *image, pid_t tid);

#endif
