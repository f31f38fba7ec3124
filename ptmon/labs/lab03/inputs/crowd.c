/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: crowd MODE COUNT LENGTH
 * COUNT times LENGTH bytes are sent: by the first thread, by threads, by children, by grandchildren, or (blocking) by a
 * thread that waits for room while others work. Says what was sent. Its exit status is 9. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LARGE = 4 << 20 };

static char data[LARGE], taken[65536];
static int ends[2];
static size_t length;
static long *sent; /* shared with children */

static void *send_one(void *unused)
{
	ssize_t result = send(ends[0], data, length, 0);

	if (result > 0)
		__atomic_fetch_add(sent, result, __ATOMIC_RELAXED);
	return unused;
}

static void by_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, send_one, NULL) != 0 || pthread_join(thread, NULL) != 0)
		exit(99);
}

static void by_child(int generations)
{
	pid_t child = fork();

	if (child < 0)
		exit(99);
	if (child == 0) {
		if (generations > 1)
			by_child(generations - 1);
		else
			send_one(NULL);
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

/* The sender waits for room, which this thread makes by many calls. */
static void blocking(void)
{
	pthread_t thread;
	long left = LARGE;

	length = LARGE;
	if (pthread_create(&thread, NULL, send_one, NULL) != 0)
		exit(99);
	while (left > 0) {
		getppid();
		left -= recv(ends[1], taken, sizeof taken, 0);
	}
	pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
	if (argc < 4 || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		return 99;
	sent = mmap(NULL, sizeof *sent, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	length = (size_t)atoi(argv[3]);
	for (int count = atoi(argv[2]); count > 0; count--) {
		if (strcmp(argv[1], "alone") == 0)
			send_one(NULL);
		else if (strcmp(argv[1], "threads") == 0)
			by_thread();
		else if (strcmp(argv[1], "children") == 0)
			by_child(1);
		else if (strcmp(argv[1], "grandchildren") == 0)
			by_child(2);
		else if (strcmp(argv[1], "blocking") == 0)
			blocking();
	}
	printf("%ld\n", *sent);
	return 9;
}
