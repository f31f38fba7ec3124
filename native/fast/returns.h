/* SPDX-License-Identifier: GPL-2.0-only
 * Signal frames that the tracer has seen being built, and that may return to code that could still be replaced. Unlike
 * those that are found above a stack pointer (frames.h) they are known wherever they lie: a handler may have left its
 * stack (swapcontext(3)) to come back later. */
#ifndef PT_FAST_RETURNS_H
#define PT_FAST_RETURNS_H

#include "tracer.h"

/* A signal is about to be delivered. Is its frame to be known? Then the tracee makes a single step, into the handler,
 * and returns_learn() follows. */
bool returns_wants(const struct pt_tracer *t, const struct tracee *tracee, int signal);
/* It stands at its handler's first instruction. */
void returns_learn(struct pt_tracer *t, struct tracee *tracee);
/* The same with the context's address. */
void returns_add(struct group *group, pid_t tid, uint64_t context);
/* A fork has copied them. */
void returns_copy(struct group *child, const struct group *parent);
/* A new program is in place, or the process is gone. */
void returns_forget(struct group *group);

#endif
