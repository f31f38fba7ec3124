/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: talk N
 * Sends 10 bytes over a pair of sockets, receives them, and makes four calls that move nothing: N times, and 100 times
 * before. Says what it has moved, and the nanoseconds that the N have taken: without its own start, and without that of
 * whoever looks on. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000 + time.tv_nsec;
}

int main(int argc, char **argv)
{
	int ends[2], rounds = argc > 1 ? atoi(argv[1]) : 1000;
	long sent = 0, received = 0, start = 0;
	char data[10] = "ten bytes";

	setvbuf(stdout, NULL, _IONBF, 0);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		return 1;
	for (int i = -100; i < rounds; i++) {
		if (i == 0)
			start = now();
		sent += send(ends[0], data, sizeof data, 0);
		received += recv(ends[1], data, sizeof data, 0);
		for (int other = 0; other < 4; other++)
			getppid();
	}
	const long nanoseconds = now() - start;
	printf("sent %ld, received %ld\n", sent, received);
	printf("%ld ns\n", nanoseconds);
	return 0;
}
