/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: stops PROGRAM [ARG...]
 * How often does a program stop, if it is resumed by PTRACE_SYSCALL? */
#include "launch.h"

int main(int argc, char **argv)
{
	int status, stops = 0;

	if (argc < 2)
		return 2;
	pid_t pid = launch(argv + 1);
	for (;;) {
		ptrace(PTRACE_SYSCALL, pid, NULL, 0); /* run on, to the next entry or exit */
		waitpid(pid, &status, 0);
		if (!WIFSTOPPED(status))
			break;
		stops++;
	}
	fprintf(stderr, "%d stops, that is %s; exit status %d\n", stops, stops % 2 ? "odd" : "even",
		WEXITSTATUS(status));
	return 0;
}
