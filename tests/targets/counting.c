/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: counting SYSCALL
 * That call moves 211, then 1009 bytes over a TCP connection to itself; sendto or recvfrom is at the other end.
 * The vectored calls use two buffers, the *mmsg calls two messages. */
#include "sockets.h"

#include <sys/uio.h>

static struct iovec *halves(char *bytes, size_t length)
{
	static struct iovec pieces[2];

	pieces[0] = (struct iovec){.iov_base = bytes, .iov_len = length / 3};
	pieces[1] = (struct iovec){.iov_base = bytes + length / 3, .iov_len = length - length / 3};
	return pieces;
}

static struct msghdr *one_message(char *bytes, size_t length)
{
	static struct msghdr message;

	message.msg_iov = halves(bytes, length);
	message.msg_iovlen = 2;
	return &message;
}

/* msg_len starts wrong on purpose: only what the kernel stores there is true. */
static struct mmsghdr *two_messages(char *bytes, size_t length)
{
	static struct mmsghdr messages[2];
	struct iovec *pieces = halves(bytes, length);

	for (int i = 0; i < 2; i++) {
		messages[i].msg_hdr.msg_iov = &pieces[i];
		messages[i].msg_hdr.msg_iovlen = 1;
		messages[i].msg_len = 99999;
	}
	return messages;
}

static ssize_t sum(int count, const struct mmsghdr *messages)
{
	ssize_t bytes = 0;

	for (int i = 0; i < count; i++)
		bytes += messages[i].msg_len;
	return bytes;
}

static ssize_t by_sendto(int fd, char *bytes, size_t length)
{
	return sendto(fd, bytes, length, 0, NULL, 0);
}

static ssize_t by_sendmsg(int fd, char *bytes, size_t length)
{
	return sendmsg(fd, one_message(bytes, length), 0);
}

static ssize_t by_sendmmsg(int fd, char *bytes, size_t length)
{
	struct mmsghdr *messages = two_messages(bytes, length);

	return sum(sendmmsg(fd, messages, 2, 0), messages);
}

static ssize_t by_write(int fd, char *bytes, size_t length)
{
	return write(fd, bytes, length);
}

static ssize_t by_writev(int fd, char *bytes, size_t length)
{
	return writev(fd, halves(bytes, length), 2);
}

static ssize_t by_pwritev2(int fd, char *bytes, size_t length)
{
	return pwritev2(fd, halves(bytes, length), 2, -1, 0);
}

static ssize_t by_recvfrom(int fd, char *bytes, size_t length)
{
	return recvfrom(fd, bytes, length, 0, NULL, NULL);
}

static ssize_t by_recvmsg(int fd, char *bytes, size_t length)
{
	return recvmsg(fd, one_message(bytes, length), 0);
}

static ssize_t by_recvmmsg(int fd, char *bytes, size_t length)
{
	struct mmsghdr *messages = two_messages(bytes, length);

	return sum(recvmmsg(fd, messages, 2, 0, NULL), messages);
}

static ssize_t by_read(int fd, char *bytes, size_t length)
{
	return read(fd, bytes, length);
}

static ssize_t by_readv(int fd, char *bytes, size_t length)
{
	return readv(fd, halves(bytes, length), 2);
}

static ssize_t by_preadv2(int fd, char *bytes, size_t length)
{
	return preadv2(fd, halves(bytes, length), 2, -1, 0);
}

static const struct way {
	const char *name;
	ssize_t (*move)(int fd, char *bytes, size_t length);
	int receives;
} ways[] = {
	{"sendto", by_sendto, 0},
	{"sendmsg", by_sendmsg, 0},
	{"sendmmsg", by_sendmmsg, 0},
	{"write", by_write, 0},
	{"writev", by_writev, 0},
	{"pwritev2", by_pwritev2, 0},
	{"recvfrom", by_recvfrom, 1},
	{"recvmsg", by_recvmsg, 1},
	{"recvmmsg", by_recvmmsg, 1},
	{"read", by_read, 1},
	{"readv", by_readv, 1},
	{"preadv2", by_preadv2, 1},
	{NULL, NULL, 0},
};

int main(int argc, char **argv)
{
	static const size_t lengths[] = {211, 1009};
	static char bytes[1009];
	const struct way *way = ways;
	int pair[2];

	must(argc == 2);
	while (way->name && strcmp(way->name, argv[1]) != 0)
		way++;
	must(way->name);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i % 251); /* tests of --capture know it */
	tcp_pair(pair);
	for (int i = 0; i < 2; i++) {
		sent((way->receives ? by_sendto : way->move)(pair[0], bytes, lengths[i]));
		await(pair[1], (int)lengths[i]);
		received((way->receives ? way->move : by_recvfrom)(pair[1], bytes, lengths[i]));
	}
	must(all_sent == 211 + 1009 && all_received == all_sent);
	close(pair[0]);
	close(pair[1]);
	tell(all_sent, all_received);
	return 0;
}
