/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: callers THREADS TIMES [other]
 * Each of so many threads calls getppid so many times; a line tells how often the parent's pid came back.
 * other: the first thread calls getpgid instead. */
#include "tally.h"

static long times, parent;
static atomic_int parents, others;

/* As /proc says it (proc(5)): getppid is left to the threads. */
static long parent_of_itself(void)
{
	long found = 0;
	char line[128];
	FILE *file = fopen("/proc/self/status", "r");

	must(file != NULL);
	while (fgets(line, sizeof line, file) && sscanf(line, "PPid: %ld", &found) != 1)
		;
	fclose(file);
	return found;
}

static void *caller(void *unused)
{
	for (long i = 0; i < times; i++)
		parents += syscall(SYS_getppid) == parent;
	return unused;
}

static void *other_caller(void *unused)
{
	for (long i = 0; i < times; i++)
		others += syscall(SYS_getpgid, 0) >= 0;
	return unused;
}

int main(int argc, char **argv)
{
	must(argc > 2);
	long threads = atol(argv[1]);
	pthread_t started[threads];

	times = atol(argv[2]);
	parent = parent_of_itself();
	for (long i = 0; i < threads; i++)
		started[i] = start_thread(i == 0 && argc > 3 ? other_caller : caller, NULL);
	for (long i = 0; i < threads; i++)
		must(pthread_join(started[i], NULL) == 0);
	printf("%d %d\n", parents, others);
	return 0;
}
