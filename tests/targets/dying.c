/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: dying MODE
 * Death comes while a thread sleeps in a call: no exit-stop tells what that call has moved. Its fd would pass for a
 * number of bytes.
 */
#include "sockets.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>

#define FD 77

static int pair[2];
static char bytes[97];
static atomic_int receiver;

static void make_pair(void)
{
	unix_pair(SOCK_STREAM, pair);
	must(dup2(pair[0], FD) == FD);
}

static void *receive(void *flags)
{
	receiver = (int)syscall(SYS_gettid);
	recv(FD, bytes, sizeof bytes, flags ? MSG_WAITALL : 0);
	return NULL;
}

static char state_of(int tid)
{
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
	must((file = fopen(path, "r")) && fgets(line, sizeof line, file));
	fclose(file);
	return strrchr(line, ')')[2];
}

static void wait_until_it_sleeps(void *flags)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, receive, flags) == 0);
	while (!receiver || state_of(receiver) != 'S')
		usleep(1000);
}

static void exits(void)
{
	make_pair();
	wait_until_it_sleeps(NULL);
}

static void killed(void)
{
	make_pair();
	wait_until_it_sleeps(NULL);
	tell(all_sent, all_received);
	kill(getpid(), SIGKILL);
	pause();
}

/* 31 bytes of 97 are there, and are taken. */
static void part(void)
{
	make_pair();
	sent(write(pair[1], bytes, 31));
	received(31);
	wait_until_it_sleeps(pair);
	tell(all_sent, all_received);
	kill(getpid(), SIGKILL);
	pause();
}

/* The same with a single thread, when it has hardly anything else to do but to sleep there. */
static void timer(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
	const struct itimerspec soon = {.it_value.tv_nsec = 300000000};
	timer_t timer;

	make_pair();
	tell(all_sent, all_received);
	must(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 && timer_settime(timer, 0, &soon, NULL) == 0);
	must(recv(FD, bytes, sizeof bytes, 0) == 0);
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = {
		{"exits", exits}, {"killed", killed}, {"part", part}, {"timer", timer}, {NULL, NULL},
	};

	return run_mode(modes, argc > 1 ? argv[1] : NULL);
}
