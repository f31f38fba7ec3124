/* SPDX-License-Identifier: GPL-2.0-or-later
 * Stops at exit (PTRACE_EVENT_EXIT). They are for what a thread leaves half-way, and for the sockets of the last one: a
 * dry process (calls/dry.c) of one thread has neither, and its end is reported by wait(2) in any case. */
#ifndef PT_EXITS_H
#define PT_EXITS_H

#include "state/tracer.h"

/* The tracee, which is about to be resumed, gets such a stop if it needs one. */
void exits_look(const struct pt_tracer *t, struct tracee *tracee);

#endif
