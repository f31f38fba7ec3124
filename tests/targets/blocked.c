/* SPDX-License-Identifier: GPL-2.0-or-later
 * Threads blocked in one system call each. Says "ready" when all are, wakes them at a line on stdin, and tells what
 * each call returned and whether the ones with a time limit of 4 seconds took that long. */
#include <linux/futex.h>
#include <netinet/in.h>
#include <poll.h>
#include <time.h>

#include "tally.h"

#define LIMIT {4, 0}

static int pair[2], channel[2], quiet[2], listener;
static unsigned int word = 1;

static long in_recv(void)
{
	return recv(pair[0], buffer, 1, 0);
}
static long in_read(void)
{
	return read(channel[0], buffer, 1);
}
static long in_accept(void)
{
	return accept(listener, NULL, NULL) >= 0;
}
static long in_futex(void)
{
	return syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0);
}
static long in_poll(void)
{
	return poll(&(struct pollfd){channel[0], POLLPRI, 0}, 1, 4000);
}
static long in_recv_poll(void)
{
	return poll(&(struct pollfd){quiet[0], POLLIN, 0}, 1, -1);
}
static long in_nanosleep(void)
{
	return nanosleep(&(struct timespec)LIMIT, NULL);
}
static long in_futex_for(void)
{
	static unsigned int never = 1;
	return syscall(SYS_futex, &never, FUTEX_WAIT_PRIVATE, 1, &(struct timespec)LIMIT, NULL, 0);
}

static struct blocked {
	const char *name;
	long (*call)(void);
	int limited;
	atomic_int tid;
	long result;
	int error;
	double seconds;
} all[] = {
	{.name = "recv", .call = in_recv},
	{.name = "read", .call = in_read},
	{.name = "accept", .call = in_accept},
	{.name = "futex", .call = in_futex},
	{.name = "poll", .call = in_recv_poll},
	{.name = "poll for 4 s", .call = in_poll, .limited = 1},
	{.name = "nanosleep", .call = in_nanosleep, .limited = 1},
	{.name = "futex for 4 s", .call = in_futex_for, .limited = 1},
};
#define COUNT (sizeof all / sizeof *all)

static void *run(void *argument)
{
	struct blocked *self = argument;
	struct timespec from, to;
	clock_gettime(CLOCK_MONOTONIC, &from);
	self->tid = gettid();
	self->result = self->call();
	self->error = self->result < 0 ? errno : 0;
	clock_gettime(CLOCK_MONOTONIC, &to);
	self->seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
	return NULL;
}

static void wake(void)
{
	struct sockaddr_in address;
	socklen_t length = sizeof address;
	must(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
	int caller = socket(AF_INET, SOCK_STREAM, 0);
	must(connect(caller, (struct sockaddr *)&address, length) == 0);
	must(send(pair[1], buffer, 1, 0) == 1 && send(quiet[1], buffer, 1, 0) == 1 &&
	     write(channel[1], buffer, 1) == 1);
	while (syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 0)
		usleep(1000);
}

int main(void)
{
	pthread_t threads[COUNT];
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, quiet) == 0);
	must(pipe(channel) == 0 && (listener = socket(AF_INET, SOCK_STREAM, 0)) >= 0 && listen(listener, 1) == 0);
	for (size_t i = 0; i < COUNT; i++) {
		threads[i] = start_thread(run, &all[i]);
		while (all[i].tid == 0)
			usleep(1000);
		await_state(getpid(), all[i].tid, "S");
	}
	puts("ready");
	fflush(stdout);
	must(getchar() == '\n');
	wake();
	for (size_t i = 0; i < COUNT; i++) {
		must(pthread_join(threads[i], NULL) == 0);
		printf("%s: %ld %s%s\n", all[i].name, all[i].result, strerror(all[i].error),
		       !all[i].limited				       ? ""
		       : all[i].seconds >= 4.0 && all[i].seconds < 5.5 ? ", on time"
								       : ", at the wrong time");
	}
	return 0;
}
