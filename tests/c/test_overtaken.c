/* SPDX-License-Identifier: GPL-2.0-or-later
 * A tracee that is killed in a stop stands before its exit soon after, and nobody has been told. */
#include "process/overtaken.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "loop/stop.h"

static pid_t tracee;

/* A child that stops at a fork, or at a signal, all the time. */
static enum stop_kind start(int signal)
{
	int status, ready[2];
	char byte;
	pid_t pid;

	CHECK(pipe(ready) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK(read(ready[0], &byte, 1) == 1);
		for (;;)
			if (signal ? raise(signal) : fork() == 0)
				_exit(0);
	}
	CHECK(ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEFORK | PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL) == 0);
	CHECK(write(ready[1], "", 1) == 1);
	close(ready[0]);
	close(ready[1]);
	CHECK(waitpid(pid, &status, __WALL) == pid);
	tracee = pid;
	return stop_kind(status);
}

static void kill_in_stop(void)
{
	siginfo_t info;

	CHECK(kill(tracee, SIGKILL) == 0);
	CHECK(waitid(P_PID, (id_t)tracee, &info, WSTOPPED | WEXITED | WNOWAIT | __WALL) == 0);
	CHECK(info.si_status >> 8 == PTRACE_EVENT_EXIT);
}

static void end(void)
{
	int status;

	CHECK(waitpid(tracee, &status, __WALL) == tracee && stop_kind(status) == STOP_EXIT);
	CHECK(!overtaken(tracee));
	CHECK(ptrace(PTRACE_CONT, tracee, 0, 0) == 0);
	CHECK(waitpid(tracee, &status, __WALL) == tracee && WIFSIGNALED(status));
}

static void test_one_that_is_killed_at_a_fork_has_left_that_stop(void)
{
	CHECK(start(0) == STOP_FORK);
	CHECK(!overtaken(tracee));
	kill_in_stop();
	CHECK(overtaken(tracee));
	end();
}

static void test_one_that_is_killed_at_a_signal_has_left_that_stop(void)
{
	CHECK(start(SIGUSR1) == STOP_SIGNAL);
	CHECK(!overtaken(tracee));
	kill_in_stop();
	CHECK(overtaken(tracee));
	end();
}

int main(void)
{
	test_one_that_is_killed_at_a_fork_has_left_that_stop();
	test_one_that_is_killed_at_a_signal_has_left_that_stop();
	return 0;
}
