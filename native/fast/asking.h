/* SPDX-License-Identifier: GPL-2.0-only
 * Threads that ask the tracer to look at a call (ask.S). */
#ifndef PT_FAST_ASKING_H
#define PT_FAST_ASKING_H

#include "fast/image.h"
#include "machine/registers.h"

/* Does a thread at this address go on to its call without asking again? */
bool asking_is_seen(uint64_t address);
/* PTRACE_EVENT_EXIT. */
void asking_exits(const struct pt_tracer *t, const struct tracee *tracee);
/* An image of a tracer that was killed is taken over; its threads stand. 0 or -errno. */
int asking_adopt(const struct image *image);
/* Has some thread found that there is no tracer, and let all calls of its process pass? Then that is told, and ends. */
void asking_check(struct pt_tracer *t, struct image *image);

#endif
