/* SPDX-License-Identifier: GPL-2.0-or-later
 * Threads that may be in a call which they began before their process got its second filter (calls/dry.c): a race.
 * That call has not stopped. It may close an fd, or make a child that has not the filter. */
#ifndef PT_BEHIND_H
#define PT_BEHIND_H

#include "state/tracer.h"

/* The tracee's process has just got the filter: all its other threads are behind. */
void behind_begin(struct pt_tracer *t, struct tracee *tracee);
/* The tracee is about to go on from a stop, or is gone: it is not. */
void behind_end(struct pt_tracer *t, struct tracee *tracee);
/* At each tick: those who sleep in some other call are not, nor who has been in user mode since. */
void behind_tick(struct pt_tracer *t);

#endif
