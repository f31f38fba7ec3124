/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: hidden MODE LENGTH...
 * Moves bytes by calls that hide how many, and tells what it has moved. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGES = 5 };

static int ends[2];
static char data[4096];
static long sent, received;

static void by_plain(size_t length)
{
	sent += send(ends[0], data, length, 0);
	received += read(ends[1], data, length);
}

static void by_peek(size_t length)
{
	struct iovec part = {data, length};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	sent += send(ends[0], data, length, 0);
	if (recv(ends[1], data, length, MSG_PEEK | MSG_DONTWAIT) < 0 || recvmsg(ends[1], &message, MSG_PEEK) < 0)
		exit(99);
	received += recvmsg(ends[1], &message, MSG_DONTWAIT);
}

/* Of as many messages as are asked for, the receiver gets what is there. */
static void by_messages(size_t length)
{
	struct iovec parts[MESSAGES];
	struct mmsghdr messages[MESSAGES];
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) != 0)
		exit(99);
	memset(messages, 0, sizeof messages);
	for (size_t i = 0; i < MESSAGES; i++) {
		parts[i] = (struct iovec){data, length + i};
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
		messages[i].msg_len = 12345; /* nobody has set this yet */
	}
	int count = sendmmsg(pair[0], messages, MESSAGES - 2, 0);
	for (int i = 0; i < count; i++)
		sent += messages[i].msg_len;
	for (size_t i = 0; i < MESSAGES; i++)
		parts[i] = (struct iovec){data, sizeof data};
	count = recvmmsg(pair[1], messages, MESSAGES, MSG_DONTWAIT, NULL);
	for (int i = 0; i < count; i++)
		received += messages[i].msg_len;
	close(pair[0]), close(pair[1]);
}

/* Into a socket, and into a pipe, which does not count. */
static void by_file(size_t length)
{
	int file = open("/proc/self/exe", O_RDONLY), pipes[2];

	if (pipe(pipes) != 0 || sendfile(pipes[1], file, NULL, length) != (ssize_t)length)
		exit(99);
	sent += sendfile(ends[0], file, NULL, length);
	received += recv(ends[1], data, length, 0);
	close(file), close(pipes[0]), close(pipes[1]);
}

static void by_pipe(size_t length)
{
	int pipes[2], others[2];

	if (pipe(pipes) != 0 || pipe(others) != 0 || write(pipes[1], data, length) != (ssize_t)length)
		exit(99);
	if (splice(pipes[0], NULL, others[1], NULL, length, 0) != (ssize_t)length) /* a pipe into a pipe */
		exit(99);
	sent += splice(others[0], NULL, ends[0], NULL, length, 0);
	received += splice(ends[1], NULL, pipes[1], NULL, length, 0);
	close(others[0]), close(others[1]), close(pipes[0]), close(pipes[1]);
}

static const struct {
	const char *name;
	void (*move)(size_t length);
} modes[] = {{"plain", by_plain}, {"peek", by_peek}, {"messages", by_messages}, {"file", by_file}, {"pipe", by_pipe}};

int main(int argc, char **argv)
{
	if (argc < 2 || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		return 99;
	for (size_t mode = 0; mode < sizeof modes / sizeof *modes; mode++)
		for (int i = 2; strcmp(modes[mode].name, argv[1]) == 0 && i < argc; i++)
			modes[mode].move((size_t)atoi(argv[i]));
	printf("sent %ld, received %ld\n", sent, received);
	return 0;
}
