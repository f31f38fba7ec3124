/* SPDX-License-Identifier: GPL-2.0-or-later
 * Signal frames that the tracer has seen being built, and that return to where code could still be replaced
 * (returns_wanted). */
#ifndef PT_FAST_RETURNS_H
#define PT_FAST_RETURNS_H

#include "fast/patch/signal_frames.h"
#include "state/tracer.h"

#define SIGNAL_CANCEL 32      /* SIGCANCEL of glibc (nptl/internaltypes.h), SIGTIMER of musl */
#define SIGNAL_CANCEL_MUSL 33 /* SIGCANCEL of musl (src/internal/pthread_impl.h), SIGSETXID of glibc */

/* Is the frame that this signal builds to be known? Then a single step has to follow, and, at the handler's first
 * instruction, returns_built(). */
bool returns_wanted(const struct pt_tracer *t, const struct tracee *tracee, int signal);
void returns_built(struct tracee *tracee, int signal);
/* Those that are still there and that move wants elsewhere go on there. Returns how many. */
unsigned int returns_move(struct group *group, pid_t tid, move_function move, const void *context);
/* May a handler, whose frame can't be changed, return to an address between these two? */
bool returns_hide(const struct group *group, uint64_t begin, uint64_t end);
/* A thread is gone. The handlers of others may have moved on to other threads. */
void returns_end(struct group *group, pid_t tid);
/* A fork has copied them. */
void returns_copy(struct group *child, const struct group *parent);
/* A new program is in place, or the process is gone. */
void returns_forget(struct group *group);

#endif
