/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the kernel has to report of the tracees. */
#ifndef PT_WAIT_H
#define PT_WAIT_H

#include <sys/wait.h>

#include "process/overtaken.h"
#include "state/tracer.h"

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
