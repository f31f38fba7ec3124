/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: stale PROGRAM [ARG...]
 * What does each write return? This tracer says it wrong. (x86_64) */
#include "launch.h"

#include <sys/syscall.h>
#include <sys/user.h>

int main(int argc, char **argv)
{
	struct __ptrace_syscall_info info;
	struct user_regs_struct regs;
	int status;

	if (argc < 2)
		return 2;
	pid_t pid = launch(argv + 1);
	ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD);
	for (;;) {
		ptrace(PTRACE_SYSCALL, pid, NULL, 0);
		waitpid(pid, &status, 0);
		if (!WIFSTOPPED(status))
			return 0;
		ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info);
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
			ptrace(PTRACE_GETREGS, pid, NULL, &regs);
		else if (info.op == PTRACE_SYSCALL_INFO_EXIT && regs.orig_rax == SYS_write)
			fprintf(stderr, "write has returned %lld\n", (long long)regs.rax);
	}
}
