/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/overtaken.h"

#include <sys/ptrace.h>

bool stop_is_due(idtype_t of, pid_t tid)
{
	siginfo_t info = {.si_pid = 0};

	return waitid(of, (id_t)tid, &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT | WAIT_FLAGS) == 0 &&
	       info.si_pid != 0;
}

bool overtaken(pid_t tid)
{
	unsigned long message;

	/* ESRCH: it is on its way. */
	if (ptrace(PTRACE_GETEVENTMSG, tid, 0, &message) < 0)
		return true;
	/* A request holds the tracee in its stop. Who is killed meanwhile is woken at the request's end, on this CPU,
	 * and stands before its exit when the next line runs (ptrace_unfreeze_traced() of kernel/ptrace.c). */
	return stop_is_due(P_PID, tid);
}
