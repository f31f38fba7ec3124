/* SPDX-License-Identifier: GPL-2.0-only
 * The first stop of threads that have been seized, without an end to the calls that they are in. */
#ifndef PT_AWAIT_H
#define PT_AWAIT_H

#include "loop/stop.h"
#include "state/tracer.h"

/* Brings every thread of the process (NULL: of all) that was seized (AWAIT_STOP) to its first stop, now or, if it
 * sleeps in a call that would be cut short, at that call's end. */
void await_begin(struct pt_tracer *t, const struct group *group);
/* One that runs unseen (PTRACE_CONT) is to be brought to a stop by await_begin(). False: it stands, or stops before its
 * next call by itself. */
bool await_again(const struct pt_tracer *t, struct tracee *tracee);
/* Both for all threads of a process that run unseen, but one that stands. */
void await_unseen(struct pt_tracer *t, const struct group *group, const struct tracee *but);
/* At each tick: those that were still running then. */
void await_tick(struct pt_tracer *t);
/* Any stop of a tracee is about to be handled: if it was awaited it is no more, and how its call ended is counted. */
void await_stopped(struct pt_tracer *t, struct tracee *tracee, enum stop_kind kind);

#endif
