/* SPDX-License-Identifier: GPL-2.0-only
 * The work that is measured: workload NAME COUNT does COUNT operations and prints what one took, in nanoseconds. It
 * times itself, so that what a tracer needs to start is not in the figure. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS 4

static long count;
static char *self;

static void must(int ok)
{
	if (!ok)
		exit(99);
}

/* One operation is one call: half of them send, half receive. */
static void *ping_pong(void *context)
{
	int ends[2];
	char byte;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	for (long i = 0; i < count / 2; i++)
		must(send(ends[0], "x", 1, 0) == 1 && recv(ends[1], &byte, 1, 0) == 1);
	return context;
}

static void ping_pong_threads(void)
{
	pthread_t threads[THREADS];

	count /= THREADS;
	for (int i = 0; i < THREADS; i++)
		must(pthread_create(&threads[i], NULL, ping_pong, NULL) == 0);
	for (int i = 0; i < THREADS; i++)
		must(pthread_join(threads[i], NULL) == 0);
	count *= THREADS;
}

static void unwatched(void)
{
	for (long i = 0; i < count; i++)
		syscall(SYS_getppid);
}

static void file_read(void)
{
	int fd = open(self, O_RDONLY);
	char byte;

	must(fd >= 0);
	for (long i = 0; i < count; i++)
		must(read(fd, &byte, 1) >= 0);
}

static void fork_exec(void)
{
	for (long i = 0; i < count; i++) {
		pid_t pid = fork();

		must(pid >= 0);
		if (pid == 0) {
			execl("/bin/true", "true", (char *)NULL);
			_exit(99);
		}
		must(waitpid(pid, NULL, 0) == pid);
	}
}

int main(int argc, char **argv)
{
	struct timespec begin, end;

	must(argc == 3);
	self = argv[0];
	count = atol(argv[2]);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	if (strcmp(argv[1], "ping_pong") == 0)
		ping_pong(NULL);
	else if (strcmp(argv[1], "ping_pong_threads") == 0)
		ping_pong_threads();
	else if (strcmp(argv[1], "unwatched") == 0)
		unwatched();
	else if (strcmp(argv[1], "file_read") == 0)
		file_read();
	else if (strcmp(argv[1], "fork_exec") == 0)
		fork_exec();
	else
		return 2;
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%.1f\n", ((end.tv_sec - begin.tv_sec) * 1e9 + (end.tv_nsec - begin.tv_nsec)) / count);
	return 0;
}
