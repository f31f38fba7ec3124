/* SPDX-License-Identifier: GPL-2.0-or-later
 * many COUNT: uses and closes COUNT sockets, two at a time, tells, and waits for the end of its input. */
#include <sys/socket.h>

#include "tell.h"

int main(int argc, char **argv)
{
	long count = argc > 1 ? atol(argv[1]) : 2;
	char byte;

	for (long i = 0; i < count; i += 2) {
		int ends[2];

		must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
		must(send(ends[0], "x", 1, 0) == 1 && recv(ends[1], &byte, 1, 0) == 1);
		must(close(ends[0]) == 0 && close(ends[1]) == 0);
	}
	tell((unsigned long long)count / 2, (unsigned long long)count / 2);
	while (read(0, &byte, 1) > 0)
		;
	return 0;
}
