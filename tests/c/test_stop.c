/* SPDX-License-Identifier: GPL-2.0-or-later
 * Each wait status of ptrace(2) becomes the kind that its bits say. */
#include <signal.h>
#include <sys/ptrace.h>

#include "check.h"
#include "loop/stop.h"

#define EVENT_STOP 128 /* PTRACE_EVENT_STOP of linux/ptrace.h */

static int stopped(int signal, int event)
{
	return event << 16 | signal << 8 | 0x7f;
}

int main(void)
{
	CHECK(stop_kind(0) == STOP_EXITED);
	CHECK(stop_kind(3 << 8) == STOP_EXITED);
	CHECK(stop_kind(SIGKILL) == STOP_KILLED);
	CHECK(stop_kind(SIGSEGV | 0x80) == STOP_KILLED); /* with a core */
	CHECK(stop_kind(stopped(SIGTRAP | 0x80, 0)) == STOP_SYSCALL);
	CHECK(stop_kind(stopped(SIGTRAP, 0)) == STOP_SIGNAL);
	CHECK(stop_kind(stopped(SIGSTOP, 0)) == STOP_SIGNAL);
	CHECK(stop_kind(stopped(SIGUSR1, 0)) == STOP_SIGNAL);
	CHECK(stop_kind(stopped(SIGSTOP, EVENT_STOP)) == STOP_GROUP);
	CHECK(stop_kind(stopped(SIGTTIN, EVENT_STOP)) == STOP_GROUP);
	CHECK(stop_kind(stopped(SIGTRAP, EVENT_STOP)) == STOP_INTERRUPT);
	CHECK(stop_kind(stopped(SIGTRAP, PTRACE_EVENT_SECCOMP)) == STOP_SECCOMP);
	CHECK(stop_kind(stopped(SIGTRAP, PTRACE_EVENT_FORK)) == STOP_FORK);
	CHECK(stop_kind(stopped(SIGTRAP, PTRACE_EVENT_VFORK)) == STOP_FORK);
	CHECK(stop_kind(stopped(SIGTRAP, PTRACE_EVENT_CLONE)) == STOP_FORK);
	CHECK(stop_kind(stopped(SIGTRAP, PTRACE_EVENT_EXEC)) == STOP_EXEC);
	CHECK(stop_kind(stopped(SIGTRAP, PTRACE_EVENT_EXIT)) == STOP_EXIT);
	CHECK(stop_kind(stopped(SIGTRAP, PTRACE_EVENT_VFORK_DONE)) == STOP_OTHER);
	return 0;
}
