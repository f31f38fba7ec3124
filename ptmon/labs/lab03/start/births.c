/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: births PROGRAM [ARG...]
 * Follows all threads and children, and tells their births. The names: the first is A, the next B ... */
#include "launch.h"

#include <signal.h>

static pid_t tids[26];
static int known;

static char name_of(pid_t tid)
{
	for (int i = 0; i < known; i++)
		if (tids[i] == tid)
			return (char)('A' + i);
	return 0;
}

int main(int argc, char **argv)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK;
	int status;
	pid_t tid;

	if (argc < 2)
		return 2;
	tids[known++] = launch(argv + 1);
	ptrace(PTRACE_SETOPTIONS, tids[0], NULL, options);
	ptrace(PTRACE_CONT, tids[0], NULL, 0);
	while ((tid = waitpid(-1, &status, __WALL)) > 0) { /* whoever it is, threads and children alike */
		int signal = 0;

		if (!WIFSTOPPED(status)) {
			fprintf(stderr, "%c is gone\n", name_of(tid));
			continue;
		}
		if (name_of(tid) == 0 &&
		    known < 26) { /* a newborn: the kernel has stopped it by a SIGSTOP of its own */
			tids[known++] = tid;
			fprintf(stderr, "%c is born\n", name_of(tid));
		} else if (status >> 16 != 0) {
			fprintf(stderr, "%c has made another one\n", name_of(tid)); /* the event is in the upper bits */
		} else {
			signal = WSTOPSIG(status);
		}
		ptrace(PTRACE_CONT, tid, NULL, signal);
	}
	return 0;
}
