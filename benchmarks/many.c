/* SPDX-License-Identifier: GPL-2.0-or-later
 * Work of which there is much: of other programs, of many threads, of many processes. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workload.h"

#define BOUNCES 10 /* calls of each thread or process */
#define WAVE 500   /* processes at a time */

static pthread_barrier_t all_there;

static void *bounce_with_all(void *context)
{
	struct share *share = context;

	pthread_barrier_wait(&all_there);
	share->count = BOUNCES;
	return bounce(share);
}

/* One operation is a run of the command, whose output goes nowhere. */
void run_command(struct share *total)
{
	for (long i = 0; i < total->count; i++) {
		pid_t pid = fork();
		int status;

		must(pid >= 0);
		if (pid == 0) {
			dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
			execvp(total->command[0], total->command);
			_exit(99);
		}
		must(waitpid(pid, &status, 0) == pid);
		if (status) {
			fprintf(stderr, "workload: %s ended with status %#x\n", total->command[0], status);
			exit(99);
		}
	}
}

/* One operation is a thread; all of them are there before the first one ends. */
void many_threads(struct share *total)
{
	struct share *shares = calloc(total->count, sizeof(*shares));
	pthread_t *threads = calloc(total->count, sizeof(*threads));
	struct rlimit files;
	pthread_attr_t small;

	must(getrlimit(RLIMIT_NOFILE, &files) == 0);
	files.rlim_cur = files.rlim_max; /* for two sockets each */
	must(setrlimit(RLIMIT_NOFILE, &files) == 0);
	must(shares && threads && pthread_attr_init(&small) == 0);
	must(pthread_attr_setstacksize(&small, CHUNK) == 0);
	must(pthread_barrier_init(&all_there, NULL, total->count) == 0);
	for (long i = 0; i < total->count; i++)
		must(pthread_create(&threads[i], &small, bounce_with_all, &shares[i]) == 0);
	for (long i = 0; i < total->count; i++)
		must(pthread_join(threads[i], NULL) == 0);
	total->sent = total->received = total->count * BOUNCES / 2;
}

/* One operation is a process; a wave of them is there before its first one ends. */
void many_processes(struct share *total)
{
	for (long done = 0; done < total->count;) {
		long wave = total->count - done < WAVE ? total->count - done : WAVE;
		int gate[2], status;

		must(pipe(gate) == 0);
		for (long i = 0; i < wave; i++) {
			pid_t pid = fork();

			must(pid >= 0);
			if (pid == 0) {
				struct pollfd open_gate = {.fd = gate[0], .events = POLLIN};

				close(gate[1]);
				while (poll(&open_gate, 1, -1) < 0)
					;
				bounce(&(struct share){.count = BOUNCES});
				_exit(0);
			}
		}
		must(close(gate[1]) == 0); /* which all of the wave wait for */
		for (long i = 0; i < wave; i++)
			must(wait(&status) > 0 && status == 0);
		must(close(gate[0]) == 0);
		done += wave;
	}
	total->sent = total->received = total->count * BOUNCES / 2;
}
