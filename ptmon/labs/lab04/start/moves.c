/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: moves peek|mmsg|file|pipe
 * Moves bytes over a pair of sockets by calls that do not say how many in the plain way. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

static char data[100];
static int ends[2];

/* Looks at 50 bytes, and then takes them. */
static void by_peek(void)
{
	send(ends[0], data, 50, 0);
	recv(ends[1], data, 50, MSG_PEEK);
	recv(ends[1], data, 50, 0);
	puts("sent 50, received 50");
}

/* Three messages of 20 bytes in one call. */
static void by_mmsg(void)
{
	struct iovec part = {data, 20};
	struct mmsghdr messages[3];

	memset(messages, 0, sizeof messages);
	for (int i = 0; i < 3; i++) {
		messages[i].msg_hdr.msg_iov = &part;
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	sendmmsg(ends[0], messages, 3, 0);
	puts("sent 60, received 0");
}

/* 70 bytes go from a file into a socket, and the program has never seen them. */
static void by_file(void)
{
	int file = open("moves.c", O_RDONLY);

	sendfile(ends[0], file, NULL, 70);
	puts("sent 70, received 0");
}

/* 30 bytes go from a pipe into a socket, and out of the other one into the pipe. */
static void by_pipe(void)
{
	int pipes[2];

	if (pipe(pipes) != 0 || write(pipes[1], data, 30) != 30)
		return;
	splice(pipes[0], NULL, ends[0], NULL, 30, 0);
	splice(ends[1], NULL, pipes[1], NULL, 30, 0);
	puts("sent 30, received 30");
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		return 1;
	if (strcmp(mode, "peek") == 0)
		by_peek();
	else if (strcmp(mode, "mmsg") == 0)
		by_mmsg();
	else if (strcmp(mode, "file") == 0)
		by_file();
	else if (strcmp(mode, "pipe") == 0)
		by_pipe();
	return 0;
}
