/* SPDX-License-Identifier: GPL-2.0-or-later
 * chatter COUNT [wait]: sends and receives one byte over a socket pair COUNT times (0: until it is killed), and tells.
 * wait: then it waits for the end of its input. */
#include <string.h>
#include <sys/socket.h>

#include "tell.h"

int main(int argc, char **argv)
{
	unsigned long long count = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	int ends[2];
	char byte;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	for (unsigned long long i = 0; count == 0 || i < count; i++)
		must(send(ends[0], "x", 1, 0) == 1 && recv(ends[1], &byte, 1, 0) == 1);
	tell(count, count);
	if (argc > 2 && strcmp(argv[2], "wait") == 0)
		while (read(0, &byte, 1) > 0)
			;
	return 0;
}
