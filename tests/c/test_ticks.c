/* SPDX-License-Identifier: GPL-2.0-or-later
 * The CPU time of a thread is its own, whatever the other threads of its process do. */
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "machine/proc.h"

#define TICKS 5

static pid_t sleeper;
static int told[2], end[2];

static void *sleeps(void *unused)
{
	char byte;

	sleeper = gettid();
	CHECK(write(told[1], "x", 1) == 1);
	CHECK(read(end[0], &byte, 1) == 1);
	return unused;
}

/* Each of the numbers is read a second time when the clock says that it must have changed. */
static void test_a_thread_that_sleeps_uses_none_while_another_runs(void)
{
	const clock_t least = (clock_t)TICKS * CLOCKS_PER_SEC / sysconf(_SC_CLK_TCK);
	const clock_t begin = clock();
	int64_t user, before = proc_user_ticks(gettid()) + proc_kernel_ticks(gettid());

	CHECK(before >= 0);
	user = proc_user_ticks(sleeper);
	CHECK(user >= 0);
	while (clock() - begin < 4 * least)
		;
	CHECK(proc_user_ticks(gettid()) + proc_kernel_ticks(gettid()) >= before + TICKS);
	CHECK(proc_user_ticks(sleeper) == user && proc_kernel_ticks(sleeper) <= 1);
}

int main(void)
{
	pthread_t thread;
	char byte;

	CHECK(pipe(told) == 0 && pipe(end) == 0);
	CHECK(pthread_create(&thread, NULL, sleeps, NULL) == 0);
	CHECK(read(told[0], &byte, 1) == 1);
	test_a_thread_that_sleeps_uses_none_while_another_runs();
	CHECK(write(end[1], "x", 1) == 1 && pthread_join(thread, NULL) == 0);
	return 0;
}
