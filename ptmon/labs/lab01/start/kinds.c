/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: kinds PROGRAM [ARG...]
 * Entry or exit? The kernel tells, if it is asked; and a syscall-stop is no signal. */
#include "launch.h"

#include <signal.h>

int main(int argc, char **argv)
{
	struct __ptrace_syscall_info info;
	int status;

	if (argc < 2)
		return 2;
	pid_t pid = launch(argv + 1);
	ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD); /* mark syscall-stops: SIGTRAP | 0x80 */
	for (;;) {
		ptrace(PTRACE_SYSCALL, pid, NULL, 0);
		waitpid(pid, &status, 0);
		if (!WIFSTOPPED(status))
			return 0;
		if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
			fprintf(stderr, "signal %d\n", WSTOPSIG(status));
			continue;
		}
		ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info);
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
			fprintf(stderr, "entry of call %d, first argument %d\n", (int)info.entry.nr,
				(int)info.entry.args[0]);
		else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
			fprintf(stderr, "exit, %s %d\n", info.exit.is_error ? "failed" : "returned",
				(int)info.exit.rval);
	}
}
