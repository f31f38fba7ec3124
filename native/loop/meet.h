/* SPDX-License-Identifier: GPL-2.0-or-later
 * Threads that sleep in a call which may not be cut short: they are met at a breakpoint (int3) where it returns to. */
#ifndef PT_MEET_H
#define PT_MEET_H

#include "loop/stop.h"
#include "machine/proc.h"
#include "state/tracer.h"

/* Puts the breakpoint for a thread that sleeps there. It is AWAIT_BREAKPOINT then; AWAIT_NOTHING: there can be none,
 * and it was interrupted; still AWAIT_STOP: it has gone on meanwhile. */
void meet(struct pt_tracer *t, struct tracee *tracee, const struct proc_place *place);
/* Ends the thread's call, which the report says. place: where it is, NULL: that is not known. */
void meet_interrupt(struct pt_tracer *t, struct tracee *tracee, const struct proc_place *place);
/* A thread that is AWAIT_BREAKPOINT has stopped, there or anywhere: how its call ended is counted. */
void meet_stopped(struct pt_tracer *t, struct tracee *tracee, enum stop_kind kind);
/* A signal-delivery-stop. True: it is the trap of a breakpoint, and there is no signal. */
bool meet_trapped(struct pt_tracer *t, struct tracee *tracee, int signal);
/* Takes all breakpoints away. Who was to be met there stays seized until the tracer's thread ends. */
void meet_detach(struct pt_tracer *t);

#endif
