/* SPDX-License-Identifier: GPL-2.0-or-later
 * Threads of which every call is seen, whatever our filter lets pass. */
#ifndef PT_CLOSELY_H
#define PT_CLOSELY_H

#include "state/tracer.h"

/* The tracee stands before a call that is about to be made. If the call gives all threads of its process a filter of
 * the program's own, every call of them is seen from now on, and it waits until that is true of each of them. */
void closely_before(struct pt_tracer *t, struct tracee *caller);
/* The same for all that run in its memory, itself included, whatever they have; it stays there until then if wait says
 * so. */
void closely_watch(struct pt_tracer *t, struct tracee *tracee, bool wait);
/* The same for its process alone, for good (struct group.closely), and it stays there. While another thread waits
 * nothing is done: the caller goes back to before its call, and comes here again. */
void closely_instead(struct pt_tracer *t, struct tracee *caller);
/* A tracee that one of its group waits for has stopped, or is gone. */
void closely_seen(struct pt_tracer *t, struct tracee *tracee);
/* At each tick. */
void closely_tick(struct pt_tracer *t);

#endif
