/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: everyone PROGRAM [ARG...]
 * Tells what all threads of a program and of its children have sent by sendto. Ends as the program does. (x86_64) */
#include "launch.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/user.h>

enum { MOST = 1024 };

struct thread {
	pid_t tid;
	bool sending; /* it has entered sendto, and has not returned */
};

static struct thread threads[MOST];
static int known;
static long bytes;

static struct thread *find(pid_t tid)
{
	for (int i = 0; i < known; i++)
		if (threads[i].tid == tid)
			return &threads[i];
	return NULL;
}

static void add(pid_t tid)
{
	if (known < MOST)
		threads[known++] = (struct thread){.tid = tid};
}

/* A syscall-stop. */
static void at_syscall(struct thread *thread)
{
	struct __ptrace_syscall_info info;
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, thread->tid, sizeof info, &info) <= 0 ||
	    ptrace(PTRACE_GETREGS, thread->tid, NULL, &regs) != 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		thread->sending = regs.orig_rax == SYS_sendto;
	} else if (thread->sending) {
		thread->sending = false;
		if ((long)regs.rax > 0)
			bytes += (long)regs.rax;
	}
}

int main(int argc, char **argv)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK;
	int status, last = 0;
	pid_t tid;

	if (argc < 2)
		return 2;
	pid_t pid = launch(argv + 1);
	add(pid);
	ptrace(PTRACE_SETOPTIONS, pid, NULL, options);
	ptrace(PTRACE_SYSCALL, pid, NULL, 0);
	while ((tid = waitpid(-1, &status, __WALL)) > 0) {
		struct thread *thread = find(tid);
		int signal = 0;

		if (!WIFSTOPPED(status)) {
			if (tid == pid)
				last = status;
			continue;
		}
		if (thread == NULL)
			add(tid); /* newborn; its SIGSTOP is the kernel's, and not for it */
		else if (WSTOPSIG(status) == (SIGTRAP | 0x80))
			at_syscall(thread);
		else if (status >> 16 == 0)
			signal = WSTOPSIG(status);
		ptrace(PTRACE_SYSCALL, tid, NULL, signal);
	}
	fprintf(stderr, "%d threads: sent %ld bytes\n", known, bytes);
	return WIFEXITED(last) ? WEXITSTATUS(last) : 128 + WTERMSIG(last);
}
