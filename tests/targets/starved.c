/* SPDX-License-Identifier: GPL-2.0-or-later
 * A thread that gets hardly any CPU: it has been let go on behind its call, and stands there for long.
 *   starved ROUNDS   so many processes, one after the other
 *
 * In each of them one thread transfers, on a CPU that another one uses up; the first thread transfers, too, so that
 * the calls come to be counted inside of the program while the starved one is wherever it is. */
#include <sched.h>
#include <sys/resource.h>

#include "tally.h"

#define TRANSFERS 120

static atomic_int over;

static void stay_on_one_cpu(void)
{
	cpu_set_t all, one;
	int cpu = 0;
	must(sched_getaffinity(0, sizeof all, &all) == 0);
	while (!CPU_ISSET(cpu, &all))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	must(sched_setaffinity(0, sizeof one, &one) == 0);
}

static void *uses_it_up(void *none)
{
	stay_on_one_cpu();
	while (!over)
		;
	return none;
}

static void *is_starved(void *none)
{
	stay_on_one_cpu();
	must(setpriority(PRIO_PROCESS, 0, 19) == 0); /* of the thread (setpriority(2), C library/kernel differences) */
	while (!over)
		chat(3, 100);
	return none;
}

static void one_round(void)
{
	pthread_t starved = start_thread(is_starved, NULL), other = start_thread(uses_it_up, NULL);
	chat(5, TRANSFERS);
	over = 1;
	must(pthread_join(starved, NULL) == 0 && pthread_join(other, NULL) == 0);
}

int main(int argc, char **argv)
{
	must(argc > 1);
	tally_open();
	for (int i = 0; i < atoi(argv[1]); i++) {
		pid_t child = fork();
		must(child >= 0);
		if (child == 0) {
			one_round();
			_exit(0);
		}
		must(reap(child) == 0);
	}
	tally_tell();
	return 0;
}
