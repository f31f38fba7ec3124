/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the tracer notes of its own work, for who looks for a fault in it: the last entries of struct pt_debug, which
 * belongs to who made the tracer. Where nobody asks there is none, and each of these is one branch. */
#ifndef PT_DEBUG_H
#define PT_DEBUG_H

#include "state/tracer.h"

/* Is this kind of event noted? */
static inline bool debug_notes(const struct pt_tracer *t, enum pt_debug_event event)
{
	return t->debug && t->debug->what >> (event >> 4) & 1;
}

void debug_add(struct pt_debug *debug, enum pt_debug_event event, pid_t tid, const struct pt_debug_entry *entry);
void debug_add_stop(struct pt_debug *debug, pid_t tid, int status);
void debug_add_next(struct pt_debug *debug, pid_t tid, enum pt_debug_next next, int signal);

/* Of the entry only what the event has is set. */
static inline void debug(const struct pt_tracer *t, enum pt_debug_event event, pid_t tid, struct pt_debug_entry entry)
{
	if (debug_notes(t, event))
		debug_add(t->debug, event, tid, &entry);
}

/* A stop, or an end, is about to be handled: what the kernel says of it. */
static inline void debug_stop(const struct pt_tracer *t, pid_t tid, int status)
{
	if (debug_notes(t, PT_DEBUG_STOP))
		debug_add_stop(t->debug, tid, status);
}

#endif
