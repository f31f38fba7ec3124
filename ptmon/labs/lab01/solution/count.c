/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: count PROGRAM [ARG...]
 * Counts the write(2) calls of a program, their bytes, and how many have failed. Ends as the program does. */
#include "launch.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>

struct counts {
	long calls, bytes, failed;
	bool writing; /* write has been entered, and has not returned */
};

/* A syscall-stop. */
static void at_syscall(pid_t pid, struct counts *counts)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		counts->writing = info.entry.nr == SYS_write;
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT && counts->writing) {
		counts->writing = false;
		counts->calls++;
		if (info.exit.is_error)
			counts->failed++;
		else
			counts->bytes += info.exit.rval;
	}
}

int main(int argc, char **argv)
{
	struct counts counts = {0};
	int status, signal = 0;

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
		if (WSTOPSIG(status) == (SIGTRAP | 0x80))
			at_syscall(pid, &counts);
		else
			signal = WSTOPSIG(status);
	}
	fprintf(stderr, "write: %ld calls, %ld bytes, %ld failed\n", counts.calls, counts.bytes, counts.failed);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
