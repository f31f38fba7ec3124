/* SPDX-License-Identifier: GPL-2.0-or-later
 * Four who send: the first thread 10 bytes, two more threads 20 bytes each, and a child 30. */
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char data[64];
static int ends[2];

static void *twenty(void *unused)
{
	send(ends[0], data, 20, 0);
	return unused;
}

int main(void)
{
	pthread_t threads[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	send(ends[0], data, 10, 0);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, twenty, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	if (fork() == 0)
		_exit(send(ends[0], data, 30, 0) == 30 ? 0 : 1);
	wait(NULL);
	puts("sent 10 + 20 + 20 + 30 = 80 bytes");
	return 0;
}
