/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: numbers PROGRAM [ARG...]
 * What is in two registers, at each stop? (x86_64) */
#include "launch.h"

#include <sys/user.h>

int main(int argc, char **argv)
{
	struct user_regs_struct regs;
	int status;

	if (argc < 2)
		return 2;
	pid_t pid = launch(argv + 1);
	for (;;) {
		ptrace(PTRACE_SYSCALL, pid, NULL, 0);
		waitpid(pid, &status, 0);
		if (!WIFSTOPPED(status))
			return 0;
		ptrace(PTRACE_GETREGS, pid, NULL, &regs);
		fprintf(stderr, "orig_rax %lld rax %lld\n", (long long)regs.orig_rax, (long long)regs.rax);
	}
}
