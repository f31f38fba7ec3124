/* SPDX-License-Identifier: GPL-2.0-only
 * What the kernel has to report of the tracees. */
#ifndef PT_WAIT_H
#define PT_WAIT_H

#include <sys/wait.h>

#include "state/tracer.h"

/* The tracer is one thread. Children that other threads have made, in a program of which ptmon is a part, are not its.
 * Nor are those that a hook has started: tracees are reported with __WCLONE as with __WALL, but of other children only
 * those with another exit signal than SIGCHLD (eligible_child() of kernel/exit.c). */
#define WAIT_FLAGS (__WCLONE | __WNOTHREAD)

/* The next stop or end of a tracee: its tid and wait status. Blocks until there is one. -errno: EINTR, or ECHILD where
 * there are no tracees. */
pid_t wait_next(struct pt_tracer *t, int *status);
/* Looks outside of wait_next for a stop or end of one tracee, and keeps it for its turn. Its tid; 0: there is none, or
 * no room; -errno. */
pid_t wait_for(struct pt_tracer *t, pid_t tid, int *status);
/* The same for one that has been waited for; the room is for one. */
void wait_keep(struct pt_tracer *t, pid_t tid, int status);
/* Is a stop of this tracee kept for its turn? Then it stands still. */
bool wait_kept(const struct pt_tracer *t, pid_t tid);
/* Is there a stop or end of any tracee that has not been handled? */
bool wait_any_due(const struct pt_tracer *t);

#endif
