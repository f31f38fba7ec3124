/* SPDX-License-Identifier: GPL-2.0-or-later
 * Calls that send more than the kernel keeps: they last until all is taken. See blocking.h. */
#include <pty.h>
#include <sys/sendfile.h>
#include <termios.h>

#include "blocking.h"

#define SIZE (16 * MIB)
#define PARTS(start, length)                                                           \
	(struct iovec[]){{(start), (size_t)(length) / 2},                              \
			 {(start) + (length) / 2, (size_t)((length) - (length) / 2)}}, \
		2

enum { MESSAGES = 200, MESSAGE_SIZE = 10 };

static int source;

static void unix_pair(void)
{
	make_bytes(SIZE);
	unix_ends(SOCK_STREAM);
}

static void tcp_pair(void)
{
	make_bytes(SIZE);
	tcp_ends();
}

static void new_pipe(void)
{
	make_bytes(SIZE);
	pipe_ends(&far, &near);
}

static void fifo(void)
{
	make_bytes(SIZE);
	must(mkfifo("fifo", 0600) == 0);
	must((near = open("fifo", O_RDWR)) >= 0 && (far = open("fifo", O_RDONLY)) >= 0);
}

static void terminal(void)
{
	struct termios raw;

	make_bytes(MIB / 4);
	must(openpty(&far, &near, NULL, NULL, NULL) == 0);
	must(tcgetattr(near, &raw) == 0);
	cfmakeraw(&raw);
	must(tcsetattr(near, TCSANOW, &raw) == 0);
}

static void unix_pair_and_file(void)
{
	unix_pair();
	source = file_of_bytes("source");
}

static void tcp_pair_and_file(void)
{
	tcp_pair();
	source = file_of_bytes("source");
}

static void full_pipe_and_file(void)
{
	new_pipe();
	source = file_of_bytes("source");
	in_child(fill_pipe);
}

/* A socket for datagrams that keeps but a few. */
static void datagram_pair(void)
{
	make_bytes(MESSAGES * MESSAGE_SIZE);
	unix_ends(SOCK_DGRAM);
	must(setsockopt(near, SOL_SOCKET, SO_SNDBUF, &(int){1}, sizeof(int)) == 0);
}

static long by_write(void)
{
	return sent(write(near, bytes, (size_t)size));
}

static long by_send(void)
{
	return sent(send(near, bytes, (size_t)size, 0));
}

static long by_sendmsg(void)
{
	struct iovec parts[] = {{bytes, (size_t)size / 2}, {bytes + size / 2, (size_t)size / 2}};

	return sent(sendmsg(near, &(struct msghdr){.msg_iov = parts, .msg_iovlen = 2}, 0));
}

static long by_writev(void)
{
	return sent(writev(near, PARTS(bytes, size)));
}

static long by_pwritev2(void)
{
	return sent(pwritev2(near, PARTS(bytes, size), -1, 0));
}

static long by_zerocopy(void)
{
	must(setsockopt(near, SOL_SOCKET, SO_ZEROCOPY, &(int){1}, sizeof(int)) == 0);
	return sent(send(near, bytes, (size_t)size, MSG_ZEROCOPY));
}

/* The bytes that a number of messages had together, as the call has noted them. */
static long by_sendmmsg(int count)
{
	struct mmsghdr messages[MESSAGES] = {0};
	struct iovec parts[MESSAGES];
	long all = 0;

	for (int i = 0; i < count; i++) {
		parts[i] = (struct iovec){bytes + size / count * i, (size_t)(size / count)};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
	}
	int taken = sendmmsg(near, messages, (unsigned int)count, 0);
	for (int i = 0; i < taken; i++)
		all += messages[i].msg_len;
	return taken < 0 ? -1 : sent(all);
}

static long by_sendmmsg_of_4(void)
{
	return by_sendmmsg(4);
}

static long by_sendmmsg_of_many(void)
{
	return by_sendmmsg(MESSAGES);
}

static long by_sendfile(void)
{
	off_t place = 0;
	long moved = sent(sendfile(near, source, &place, (size_t)size));

	must(place == (moved < 0 ? 0 : moved));
	return moved;
}

static long by_splice(void)
{
	loff_t place = 0;
	long moved = splice(source, &place, near, NULL, (size_t)size, 0);

	must(place == (moved < 0 ? 0 : moved));
	return moved;
}

static long by_vmsplice(void)
{
	return vmsplice(near, &(struct iovec){bytes, (size_t)size}, 1, 0);
}

/* Makes room for as much as the pipe had: 64 KiB by default, pipe(7). */
static void empty_pipe(void)
{
	must(read(far, buffer, sizeof buffer) == sizeof buffer);
}

int main(int argc, char **argv)
{
	static const struct row rows[] = {
		ENDS("write-unix", unix_pair, by_write, take_all),
		ENDS("send-unix", unix_pair, by_send, take_all),
		ENDS("sendmsg-unix", unix_pair, by_sendmsg, take_all),
		ENDS("writev-unix", unix_pair, by_writev, take_all),
		ENDS("pwritev2-unix", unix_pair, by_pwritev2, take_all),
		ENDS("sendmmsg-unix", unix_pair, by_sendmmsg_of_4, take_all),
		ENDS("write-tcp", tcp_pair, by_write, take_all),
		ENDS("send-tcp", tcp_pair, by_send, take_all),
		ENDS("sendmsg-tcp", tcp_pair, by_sendmsg, take_all),
		ENDS("writev-tcp", tcp_pair, by_writev, take_all),
		ENDS("pwritev2-tcp", tcp_pair, by_pwritev2, take_all),
		ENDS("sendmmsg-tcp", tcp_pair, by_sendmmsg_of_4, take_all),
		ENDS("send-zerocopy", tcp_pair, by_zerocopy, take_all),
		ENDS("sendfile-tcp", tcp_pair_and_file, by_sendfile, take_all),
		ENDS("sendfile-unix", unix_pair_and_file, by_sendfile, take_all),
		ENDS("sendfile-pipe", full_pipe_and_file, by_sendfile, empty_pipe),
		ENDS("splice-file-pipe", full_pipe_and_file, by_splice, empty_pipe),
		ENDS("write-pipe", new_pipe, by_write, take_all),
		ENDS("writev-pipe", new_pipe, by_writev, take_all),
		ENDS("pwritev2-pipe", new_pipe, by_pwritev2, take_all),
		ENDS("write-fifo", fifo, by_write, take_all),
		ENDS("vmsplice-pipe", full_pipe_and_file, by_vmsplice, empty_pipe),
		ENDS("write-tty", terminal, by_write, take_all),
		ENDS("sendmmsg-dgram", datagram_pair, by_sendmmsg_of_many, take_all),
		{0},
	};

	return make_one_of(rows, argc, argv);
}
