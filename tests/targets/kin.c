/* SPDX-License-Identifier: GPL-2.0-or-later
 * Processes that are there before ptmon is, and others that are born meanwhile. Each tells a line of its own.
 *   kin workers        a master, two workers, a child of each with a thread: "ready", then a byte on stdin lets one of
 *                      them transfer, on a socket of its own and on one that all have inherited
 *   kin forks FOLDER   two children fork all the time, by two threads each, until FOLDER/stop is there; "marked" says
 *                      whether FOLDER/mark was there before the fork
 *   kin vfork          a child of vfork says "ready", waits for a byte on stdin, transfers, and executes kin after */
#include "tally.h"

enum { ROUNDS = 200, SHARED = 7, FORKERS = 2, SIZE = 101, TIMES = 3 };

static int shared[2];

static void say(const char *format, int number, unsigned long long sent, unsigned long long received)
{
	char line[160];
	int length = snprintf(line, sizeof line, format, getpid(), number, sent, received);
	must(write(STDOUT_FILENO, line, (size_t)length) == length);
}

#define TOLD "{\"pid\": %d, \"number\": %d, \"sent\": %llu, \"received\": %llu}\n"

static void *sleeper(void *none)
{
	pause();
	return none;
}

static void transfer(size_t size)
{
	tally->sent = tally->received = 0;
	for (int i = 0; i < ROUNDS; i++)
		must(count_write(shared[0], SHARED) == SHARED && count_read(shared[1], SHARED) == SHARED);
	chat(size, ROUNDS);
}

/* One at a time: the test writes a byte when the last one has told. */
static void work(int number)
{
	char byte;

	say("ready %d %d %llu %llu\n", number, 0, 0);
	while (read(STDIN_FILENO, &byte, 1) == 1) {
		transfer((size_t)number * 10 + 1);
		say(TOLD, number, tally->sent, tally->received);
		pause(); /* leaves the next byte to another one */
	}
	_exit(0);
}

static void workers(void)
{
	int number = 0;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, shared) == 0);
	for (int i = 1; i <= 2; i++) {
		if (fork() != 0)
			continue;
		number = i;
		if (fork() == 0) {
			number += 2;
			start_thread(sleeper, NULL);
		}
		break;
	}
	work(number);
}

static char mark[4096], stop[4096];

static void *forker(void *none)
{
	while (access(stop, F_OK) != 0) {
		int marked = access(mark, F_OK) == 0;
		pid_t child = fork();

		must(child >= 0);
		if (child == 0) {
			chat(SIZE, TIMES);
			say(TOLD, marked, SIZE * TIMES, SIZE * TIMES);
			_exit(0);
		}
		must(reap(child) == 0);
	}
	return none;
}

static void forks(const char *folder)
{
	must(snprintf(mark, sizeof mark, "%s/mark", folder) < (int)sizeof mark);
	must(snprintf(stop, sizeof stop, "%s/stop", folder) < (int)sizeof stop);
	for (int i = 0; i < FORKERS; i++) {
		pthread_t thread;

		if (fork() != 0)
			continue;
		thread = start_thread(forker, NULL);
		forker(NULL);
		must(pthread_join(thread, NULL) == 0);
		_exit(0);
	}
	say("ready %d %d %llu %llu\n", 0, 0, 0);
	while (wait(NULL) > 0)
		;
}

/* In its parent's memory, which stands in vfork(2) meanwhile. */
static void in_vfork(void)
{
	static char *words[] = {"kin", "after", NULL};
	char byte;
	pid_t child = vfork();

	if (child == 0) {
		say("ready %d %d %llu %llu\n", 0, 0, 0);
		must(read(STDIN_FILENO, &byte, 1) == 1);
		for (int i = 0; i < ROUNDS; i++)
			chat(SIZE, TIMES);
		execv("/proc/self/exe", words);
		_exit(98);
	}
	must(child > 0 && reap(child) == 0);
	for (int i = 0; i < ROUNDS; i++)
		chat(SIZE, TIMES);
	tally_tell();
}

int main(int argc, char **argv)
{
	must(argc > 1);
	tally_open();
	if (strcmp(argv[1], "workers") == 0)
		workers();
	else if (strcmp(argv[1], "forks") == 0)
		forks(argv[2]);
	else if (strcmp(argv[1], "vfork") == 0)
		in_vfork();
	else
		chat(13, TIMES);
	return 0;
}
