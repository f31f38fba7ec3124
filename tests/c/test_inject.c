/* SPDX-License-Identifier: GPL-2.0-or-later
 * Memory is mapped by a tracee, and given back, whatever signals ptmon itself gets meanwhile. */
#include "fast/patch/inject.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "fast/image/layout.h"
#include "fast/image/maps.h"
#include "process/tracee.h"

#define ROUNDS 100
#define OFTEN_NS 20000
#define SIZE 4096

static void on_tick(int signal)
{
	(void)signal;
}

/* As the tracer's ticks, which end a wait, but far more often. */
static timer_t begin_ticks(void)
{
	const struct sigaction action = {.sa_handler = on_tick};
	const struct itimerspec often = {.it_interval.tv_nsec = OFTEN_NS, .it_value.tv_nsec = OFTEN_NS};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMAX};
	timer_t timer;

	CHECK(sigaction(SIGRTMAX, &action, NULL) == 0);
	CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	CHECK(timer_settime(timer, 0, &often, NULL) == 0);
	return timer;
}

static pid_t start(void)
{
	pid_t pid = fork();
	int status;

	CHECK(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			;
	}
	CHECK(ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) == 0);
	CHECK(ptrace(PTRACE_INTERRUPT, pid, 0, 0) == 0);
	CHECK(waitpid(pid, &status, __WALL) == pid);
	return pid;
}

static void test_ticks_do_not_end_what_a_tracee_is_led_through(void)
{
	static struct pt_tracer tracer;
	static struct tracee tracee;
	const struct inject_map map = {FAST_DATA, SIZE, PROT_READ | PROT_WRITE};
	struct registers before, after;
	timer_t timer;

	tracee.tid = start();
	CHECK(registers_read(tracee.tid, &before) == 0);
	timer = begin_ticks();
	for (int i = 0; i < ROUNDS; i++) {
		CHECK(inject_maps(&tracer, &tracee, &map, 1) == 0);
		CHECK(mapped_within(tracee.tid, FAST_DATA, FAST_DATA + SIZE));
		CHECK(inject_unmap(&tracer, &tracee, FAST_DATA, SIZE, &before, false) == 0);
		CHECK(!mapped_within(tracee.tid, FAST_DATA, FAST_DATA + SIZE));
	}
	timer_delete(timer);
	CHECK(registers_read(tracee.tid, &after) == 0);
	CHECK(registers_instruction(&before) == registers_instruction(&after));
	CHECK(registers_result(&before) == registers_result(&after));
	kill(tracee.tid, SIGKILL);
	waitpid(tracee.tid, NULL, __WALL);
}

int main(void)
{
	test_ticks_do_not_end_what_a_tracee_is_led_through();
	return 0;
}
