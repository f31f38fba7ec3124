/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A race with SIGKILL: it takes a tracee out of any stop, on to PTRACE_EVENT_EXIT, while the first stop is being
 * handled. Who resumes "the" stop then resumes that one, unseen: what stubs have counted is not read any more, a call
 * that the tracee stood before seems to be cut short, and the kernel's counters of its sockets are not asked for. So
 * whoever resumes a tracee asks here first. */
#ifndef PT_OVERTAKEN_H
#define PT_OVERTAKEN_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/wait.h>

/* The tracer is one thread. Children that other threads have made, in a program of which ptmon is a part, are not its.
 * Nor are those that a hook has started: tracees are reported with __WCLONE as with __WALL, but of other children only
 * those with another exit signal than SIGCHLD (eligible_child() of kernel/exit.c). */
#define WAIT_FLAGS (__WCLONE | __WNOTHREAD)

/* Has the kernel a stop or an end to report of it, or of any (P_ALL)? */
bool stop_is_due(idtype_t of, pid_t tid);

/* Has it left the stop that was reported last? Another one, or its death, is reported soon. */
bool overtaken(pid_t tid);

#endif
