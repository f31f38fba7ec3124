/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: one PROGRAM [ARG...]
 * The tracer of lab 01, for sendto: it knows one pid, and waits for that one. */
#include "launch.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>

int main(int argc, char **argv)
{
	struct __ptrace_syscall_info info;
	int status, signal = 0;
	bool sending = false;
	long bytes = 0;

	if (argc < 2)
		return 2;
	pid_t pid = launch(argv + 1);
	ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD);
	for (;;) {
		ptrace(PTRACE_SYSCALL, pid, NULL, signal);
		waitpid(pid, &status, 0);
		if (!WIFSTOPPED(status))
			break;
		signal = 0;
		if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
			signal = WSTOPSIG(status);
		} else if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) > 0) {
			if (info.op == PTRACE_SYSCALL_INFO_EXIT && sending && !info.exit.is_error)
				bytes += info.exit.rval;
			sending = info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr == SYS_sendto;
		}
	}
	fprintf(stderr, "one tracee: sent %ld bytes\n", bytes);
	return WEXITSTATUS(status);
}
