/* SPDX-License-Identifier: GPL-2.0-or-later
 * Processes and threads that each open a socket pair, send and receive on it one byte at a time, and close it.
 *   ordered PROCESSES THREADS ROUNDS [pause] [wait]
 * pause: each lets 30 ms go by in the middle and before it closes. A process more is the parent of the others, and
 * sends to each of them over a socket that they have inherited. */
#include <stdbool.h>
#include <time.h>

#include "begin.h"

enum { THREADS_MOST = 64 };

static long rounds;
static bool pauses;

static void pause_a_while(void)
{
	const struct timespec time = {.tv_nsec = 30000000};

	if (pauses)
		must(nanosleep(&time, NULL) == 0);
}

static void *work(void *none)
{
	int ends[2];
	char byte;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	for (long i = 0; i < rounds; i++) {
		must(counted(&tally->sent, send(ends[0], "x", 1, 0)) == 1);
		must(counted(&tally->received, recv(ends[1], &byte, 1, 0)) == 1);
		if (i == rounds / 2)
			pause_a_while();
	}
	pause_a_while();
	must(close(ends[0]) == 0 && close(ends[1]) == 0);
	return none;
}

static int child(long threads, int inherited)
{
	pthread_t all[THREADS_MOST];
	char byte;

	for (long i = 0; i < threads; i++)
		must(pthread_create(&all[i], NULL, work, NULL) == 0);
	for (long i = 0; i < rounds; i++)
		must(counted(&tally->received, recv(inherited, &byte, 1, 0)) == 1);
	for (long i = 0; i < threads; i++)
		must(pthread_join(all[i], NULL) == 0);
	return 0;
}

int main(int argc, char **argv)
{
	long processes = argc > 2 ? atol(argv[1]) : 1, threads = argc > 2 ? atol(argv[2]) : 1;
	int ends[2], status;

	rounds = argc > 3 ? atol(argv[3]) : 100;
	pauses = argc > 4 && strcmp(argv[4], "pause") == 0;
	must(threads <= THREADS_MOST);
	tally_open();
	begin(argc, argv);
	if (!processes)
		return work(NULL), tally_tell(), 0;
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	for (long i = 0; i < processes; i++) {
		pid_t pid = fork();

		must(pid >= 0);
		if (!pid)
			_exit(child(threads, ends[1]));
	}
	for (long i = 0; i < rounds * processes; i++)
		must(counted(&tally->sent, send(ends[0], "x", 1, 0)) == 1);
	for (long i = 0; i < processes; i++)
		must(wait(&status) > 0 && status == 0);
	tally_tell();
	return 0;
}
