/* SPDX-License-Identifier: GPL-2.0-only */
#include "process/overtaken.h"

#include <sys/ptrace.h>
#include <sys/wait.h>

bool overtaken(pid_t tid)
{
	siginfo_t info = {.si_pid = 0};
	unsigned long message;

	/* ESRCH: it is on its way. */
	if (ptrace(PTRACE_GETEVENTMSG, tid, 0, &message) < 0)
		return true;
	/* A request holds the tracee in its stop. Who is killed meanwhile is woken at the request's end, on this CPU,
	 * and stands before its exit when the next line runs (ptrace_unfreeze_traced() of kernel/ptrace.c). */
	return waitid(P_PID, (id_t)tid, &info, WSTOPPED | WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 &&
	       info.si_pid != 0;
}
