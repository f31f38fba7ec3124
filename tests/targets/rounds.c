/* SPDX-License-Identifier: GPL-2.0-or-later
 * rounds COUNT: at each empty line on stdin, sends and receives a byte COUNT times and prints how many microseconds
 * that took; at another line, or at the end of its input, it tells and ends. */
#include <sys/socket.h>
#include <time.h>

#include "tell.h"

static long long microseconds(void)
{
	struct timespec now;

	must(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
	long count = argc > 1 ? atol(argv[1]) : 1;
	unsigned long long moved = 0;
	int ends[2];
	char byte;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	while (read(0, &byte, 1) == 1 && byte == '\n') {
		long long start = microseconds();

		for (long i = 0; i < count; i++, moved++)
			must(send(ends[0], "x", 1, 0) == 1 && recv(ends[1], &byte, 1, 0) == 1);
		printf("%lld\n", microseconds() - start);
		fflush(stdout);
	}
	tell(moved, moved);
	return 0;
}
