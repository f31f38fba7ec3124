/* SPDX-License-Identifier: GPL-2.0-or-later
 * How threads that make calls unseen are brought to a stop, without cutting short the calls that they are in. */
#ifndef PT_AWAIT_H
#define PT_AWAIT_H

#include "loop/stop.h"
#include "state/tracer.h"

/* Brings every thread of the process (NULL: of all) that was seized (AWAIT_STOP) to its first stop, now or, if it
 * sleeps in a call that would be cut short, at that call's end. */
void await_begin(struct pt_tracer *t, const struct group *group);
/* Marks a tracee that runs unseen (PTRACE_CONT), so that await_begin() brings it to a stop. False: there is no need,
 * for it stands, or stops before its next call by itself. */
bool await_again(const struct pt_tracer *t, struct tracee *tracee);
/* Both, for all threads of a process that run unseen; one of them (but) stands already. */
void await_unseen(struct pt_tracer *t, const struct group *group, const struct tracee *but);
/* At each tick: those that were still running then. */
void await_tick(struct pt_tracer *t);
/* A stop of a tracee is about to be handled, the awaited one or any other: how the call ended in which it was met is
 * counted. */
void await_stopped(struct pt_tracer *t, struct tracee *tracee, enum stop_kind kind);

#endif
