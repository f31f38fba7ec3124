/* SPDX-License-Identifier: GPL-2.0-only
 *
 * A race with SIGKILL: it takes a tracee out of any stop, on to PTRACE_EVENT_EXIT, while the first stop is being
 * handled. Who resumes "the" stop then resumes that one, unseen: what stubs have counted is not read any more, a call
 * that the tracee stood before seems to be cut short, and the kernel's counters of its sockets are not asked for. So
 * whoever resumes a tracee asks here first. */
#ifndef PT_OVERTAKEN_H
#define PT_OVERTAKEN_H

#include <stdbool.h>
#include <sys/types.h>

/* Has it left the stop that was reported last? Another one, or its death, is reported soon. */
bool overtaken(pid_t tid);

#endif
