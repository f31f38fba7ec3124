/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: ending PROCESSES
 * In each of them threads end by themselves at the very moment when exit_group(2) ends them all: it takes those that
 * stand at their exit out of that stop.
 */
#include "tally.h"

enum { THREADS = 12, CALLS = 20 };

static atomic_int ready, go;

static void exchange(int pair[2])
{
	for (int i = 0; i < CALLS; i++) {
		counted(&tally->sent, send(pair[0], buffer, 7, 0));
		counted(&tally->received, recv(pair[1], buffer, sizeof buffer, 0));
	}
}

static void *end(void *number)
{
	int pair[2];

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	exchange(pair);
	ready++;
	while (!go)
		;
	for (volatile long i = 0; i < (long)number * 500; i++)
		;
	syscall(SYS_exit, 0);
	return NULL;
}

static void run(void)
{
	pthread_t thread;

	for (long i = 0; i < THREADS; i++)
		must(pthread_create(&thread, NULL, end, (void *)i) == 0);
	while (ready < THREADS)
		usleep(1000);
	go = 1;
	for (volatile int i = 0; i < getpid() % 8 * 1000; i++)
		;
	syscall(SYS_exit_group, 0);
}

int main(int argc, char **argv)
{
	int status;

	must(argc == 2);
	tally_open();
	for (int i = 0; i < atoi(argv[1]); i++) {
		pid_t child = fork();

		must(child >= 0);
		if (!child)
			run();
		must(waitpid(child, &status, 0) == child && status == 0);
	}
	tally_tell();
	return 0;
}
