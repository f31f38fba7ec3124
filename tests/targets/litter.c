/* SPDX-License-Identifier: GPL-2.0-or-later
 * Many children, all of them there before the first one ends; each sends and receives a little. Or as many threads, of
 * which none has had a socket before; then it says how many seccomp filters it has in the end (-1: not known).
 *   litter COUNT [threads] [wait] */
#include <poll.h>
#include <sys/resource.h>

#include "begin.h"

static void child(int gate)
{
	struct pollfd open_gate = {.fd = gate, .events = POLLIN};

	while (poll(&open_gate, 1, -1) < 0)
		;
	chat(3, 5);
	_exit(0);
}

static pthread_barrier_t all_there;

static void *thread(void *unused)
{
	pthread_barrier_wait(&all_there);
	chat(3, 5);
	return unused;
}

static int filters(void)
{
	char line[256];
	int number = -1;
	FILE *file = fopen("/proc/self/status", "r");

	must(file != NULL);
	while (fgets(line, sizeof line, file))
		if (sscanf(line, "Seccomp_filters: %d", &number) == 1)
			break;
	fclose(file);
	return number;
}

static void threads(int count)
{
	pthread_t *all = calloc((size_t)count, sizeof *all);
	struct rlimit files;

	must(all && getrlimit(RLIMIT_NOFILE, &files) == 0);
	files.rlim_cur = files.rlim_max;
	must(setrlimit(RLIMIT_NOFILE, &files) == 0);
	must(pthread_barrier_init(&all_there, NULL, (unsigned int)count) == 0);
	for (int i = 0; i < count; i++)
		must(pthread_create(&all[i], NULL, thread, NULL) == 0);
	for (int i = 0; i < count; i++)
		must(pthread_join(all[i], NULL) == 0);
	free(all);
	printf("%d\n", filters());
}

static void children(int count)
{
	int gate[2], status;

	must(pipe(gate) == 0);
	for (int i = 0; i < count; i++) {
		pid_t pid = fork();

		must(pid >= 0);
		if (pid == 0) {
			close(gate[1]);
			child(gate[0]);
		}
	}
	must(close(gate[1]) == 0); /* which all of them wait for */
	for (int i = 0; i < count; i++)
		must(wait(&status) > 0 && status == 0);
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 0;

	must(count > 0);
	tally_open();
	begin(argc, argv);
	if (argc > 2 && strcmp(argv[2], "threads") == 0)
		threads(count);
	else
		children(count);
	tally_tell();
	return 0;
}
