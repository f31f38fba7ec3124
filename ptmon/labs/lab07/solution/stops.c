/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: stops all|few PROGRAM [ARG...]
 * Stops a program at all of its system calls, or at sendto and recvfrom alone. Tells how often it has stopped, and what
 * these two calls have moved. Ends as the program does. It is for programs that stay alone: whom nobody traces, as the
 * program's children here, gets ENOSYS from calls that the filter chooses. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct counts {
	long stops, sent, received;
	unsigned long call; /* the number of the call that is under way */
};

/* In the child: from now on the kernel asks this filter at each call. A filter that is to keep somebody from something
 * has to look at seccomp_data.arch first, for other ABIs have other numbers. */
static void choose(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendto, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_recvfrom, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); /* without it only root may set a filter */
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		_exit(126);
}

static pid_t launch(char **command, bool all)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		if (!all)
			choose();
		execvp(command[0], command);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		exit(127);
	ptrace(PTRACE_SETOPTIONS, pid, NULL, options);
	return pid;
}

/* A stop at a call: before it, and then which one it is stands there; or behind it, and its result stands there. */
static bool returned(pid_t pid, struct counts *counts)
{
	struct __ptrace_syscall_info info;

	counts->stops++;
	memset(&info, 0, sizeof info);
	ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info);
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		counts->call = info.entry.nr;
	if (info.op == PTRACE_SYSCALL_INFO_SECCOMP)
		counts->call = info.seccomp.nr;
	if (info.op != PTRACE_SYSCALL_INFO_EXIT)
		return false;
	if (counts->call == SYS_sendto && info.exit.rval > 0)
		counts->sent += info.exit.rval;
	if (counts->call == SYS_recvfrom && info.exit.rval > 0)
		counts->received += info.exit.rval;
	return true;
}

int main(int argc, char **argv)
{
	struct counts counts = {0};
	int status, signal = 0;

	if (argc < 3)
		return 2;
	const bool all = strcmp(argv[1], "all") == 0;
	enum __ptrace_request request = all ? PTRACE_SYSCALL : PTRACE_CONT;
	pid_t pid = launch(argv + 2, all);
	while (ptrace(request, pid, NULL, signal) == 0 && waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		const bool chosen = status >> 16 == PTRACE_EVENT_SECCOMP;
		const bool at_call = chosen || WSTOPSIG(status) == (SIGTRAP | 0x80);

		signal = at_call ? 0 : WSTOPSIG(status);
		if (at_call && returned(pid, &counts) && !all)
			request = PTRACE_CONT; /* to the next call that is chosen */
		else if (at_call)
			request = PTRACE_SYSCALL; /* to this call's exit */
	}
	fprintf(stderr, "%ld stops: sent %ld, received %ld\n", counts.stops, counts.sent, counts.received);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
