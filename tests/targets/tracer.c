/* SPDX-License-Identifier: GPL-2.0-or-later
 * A program that uses ptrace(2) itself.
 *   tracer own           traces a child by PTRACE_TRACEME, another by PTRACE_SEIZE; says what it got
 *   tracer seize PID     seizes the process, says "seized", and holds it until its stdin ends */
#include <signal.h>
#include <sys/ptrace.h>

#include "tally.h"

static void own(void)
{
	pid_t child = fork();
	if (child == 0) {
		long result = ptrace(PTRACE_TRACEME, 0, 0, 0);
		printf("PTRACE_TRACEME: %s\n", result == 0 ? "done" : strerror(errno));
		fflush(stdout);
		raise(SIGSTOP);
		chat(5, 7);
		_exit(3);
	}
	int status;
	must(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	if (ptrace(PTRACE_CONT, child, 0, 0) != 0) /* not our tracee, so it is merely stopped */
		must(kill(child, SIGCONT) == 0);
	while (!WIFEXITED(status = reap(child)) && !WIFSIGNALED(status))
		ptrace(PTRACE_CONT, child, 0, 0);
	printf("child's status %#x\n", (unsigned)status);
	fflush(stdout);

	child = fork();
	if (child == 0) {
		await_step(1);
		chat(3, 3);
		_exit(0);
	}
	printf("PTRACE_SEIZE: %s\n", ptrace(PTRACE_SEIZE, child, 0, 0) == 0 ? "done" : strerror(errno));
	tally->step = 1;
	must(reap(child) == 0);
}

int main(int argc, char **argv)
{
	must(argc > 1);
	if (strcmp(argv[1], "seize") == 0) {
		must(ptrace(PTRACE_SEIZE, atoi(argv[2]), 0, 0) == 0);
		puts("seized");
		fflush(stdout);
		return read(STDIN_FILENO, buffer, 1) != 0;
	}
	tally_open();
	own();
	tally_tell();
	return 0;
}
