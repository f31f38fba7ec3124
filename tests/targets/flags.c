/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: flags MODE
 * Calls whose flags decide what their return value means. */
#include "sockets.h"

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>

static char bytes[4096];
static int pair[2];

static ssize_t message(int fd, size_t length, int flags)
{
	struct iovec piece = {.iov_base = bytes, .iov_len = length};
	struct msghdr header = {.msg_iov = &piece, .msg_iovlen = 1};

	return recvmsg(fd, &header, flags);
}

static ssize_t messages(int fd, size_t length, int flags)
{
	struct iovec piece = {.iov_base = bytes, .iov_len = length};
	struct mmsghdr header = {.msg_hdr = {.msg_iov = &piece, .msg_iovlen = 1}};

	must(recvmmsg(fd, &header, 1, flags, NULL) == 1);
	return header.msg_len;
}

/* 41 + 43 + 47 bytes are peeked at, by each of the three calls; the 97 are received once. */
static void peek(void)
{
	tcp_pair(pair);
	sent(send(pair[0], bytes, 97, 0));
	await(pair[1], 97);
	must(recv(pair[1], bytes, 41, MSG_PEEK) == 41);
	must(message(pair[1], 43, MSG_PEEK) == 43);
	must(messages(pair[1], 47, MSG_PEEK) == 47);
	received(recv(pair[1], bytes, 97, 0));
}

/* The usual way to ask for a datagram's length. */
static void peek_length(void)
{
	udp_pair(pair);
	sent(send(pair[0], bytes, 307, 0));
	must(recv(pair[1], NULL, 0, MSG_PEEK | MSG_TRUNC) == 307);
	received(recv(pair[1], bytes, 307, 0));
}

/* Buffers of 11, 13 and 17 bytes; the calls return the whole lengths, and the rest of each datagram is gone. */
static void trunc_datagram(void)
{
	udp_pair(pair);
	sent(send(pair[0], bytes, 307, 0));
	sent(send(pair[0], bytes, 311, 0));
	sent(send(pair[0], bytes, 313, 0));
	must(received(recv(pair[1], bytes, 11, MSG_TRUNC)) == 307);
	must(received(message(pair[1], 13, MSG_TRUNC)) == 311);
	must(received(messages(pair[1], 17, MSG_TRUNC)) == 313);
}

/* Without MSG_TRUNC the calls return what fits. */
static void short_datagram(void)
{
	udp_pair(pair);
	sent(send(pair[0], bytes, 307, 0));
	sent(send(pair[0], bytes, 311, 0));
	must(received(recv(pair[1], bytes, 11, 0)) == 11);
	must(received(message(pair[1], 13, 0)) == 13);
}

/* TCP throws the 53 bytes away without a copy: tcp(7). */
static void trunc_stream(void)
{
	tcp_pair(pair);
	sent(send(pair[0], bytes, 97, 0));
	await(pair[1], 97);
	must(received(recv(pair[1], NULL, 53, MSG_TRUNC)) == 53);
	must(received(recv(pair[1], bytes, sizeof bytes, 0)) == 44);
}

/* The error queue gives back the datagram that could not be delivered: ip(7), IP_RECVERR. */
static void errqueue_refused(void)
{
	int on = 1, fd = bound(SOCK_DGRAM), closed = bound(SOCK_DGRAM);

	must(setsockopt(fd, SOL_IP, IP_RECVERR, &on, sizeof on) == 0);
	connect_to(fd, name_of(closed));
	close(closed);
	sent(send(fd, bytes, 23, 0));
	await_event(fd, POLLERR);
	must(message(fd, sizeof bytes, MSG_ERRQUEUE) == 23);
	sent(send(fd, bytes, 29, 0));
	await_event(fd, POLLERR);
	must(messages(fd, sizeof bytes, MSG_ERRQUEUE) == 29);
	sent(send(fd, bytes, 31, 0));
	await_event(fd, POLLERR);
	must(recv(fd, bytes, sizeof bytes, MSG_ERRQUEUE) == 31);
}

/* … and what was sent, when its time stamp is told: kernel, Documentation/networking/timestamping.rst. */
static void errqueue_timestamp(void)
{
	int wanted = SOF_TIMESTAMPING_TX_ACK | SOF_TIMESTAMPING_SOFTWARE;

	tcp_pair(pair);
	must(setsockopt(pair[0], SOL_SOCKET, SO_TIMESTAMPING, &wanted, sizeof wanted) == 0);
	sent(send(pair[0], bytes, 61, 0));
	await(pair[1], 61);
	received(recv(pair[1], bytes, 61, 0));
	await_event(pair[0], POLLERR);
	must(message(pair[0], sizeof bytes, MSG_ERRQUEUE) == 61);
}

/* An urgent byte is a payload byte. 19 bytes go before, since the kernel's count of what waits ends at an urgent byte
 * (SIOCINQ, tcp(7)): a socket that is first seen with one can't be told from one that was in use before. */
static void oob(void)
{
	tcp_pair(pair);
	sent(send(pair[0], bytes, 19, 0));
	received(recv(pair[1], bytes, 19, MSG_WAITALL));
	sent(send(pair[0], bytes, 17, 0));
	sent(send(pair[0], bytes, 1, MSG_OOB));
	await_event(pair[1], POLLPRI);
	received(recv(pair[1], bytes, 1, MSG_OOB));
	must(received(recv(pair[1], bytes, sizeof bytes, 0)) == 17);
}

/* The pages are sent as they are; the notice on the error queue has no payload. */
static void zerocopy(void)
{
	int on = 1;

	tcp_pair(pair);
	must(setsockopt(pair[0], SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on) == 0);
	sent(send(pair[0], bytes, 4093, MSG_ZEROCOPY));
	received(recv(pair[1], bytes, 4093, MSG_WAITALL));
	await_event(pair[0], POLLERR);
	must(message(pair[0], sizeof bytes, MSG_ERRQUEUE) == 0);
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = {
		{"peek", peek},
		{"peek_length", peek_length},
		{"trunc_datagram", trunc_datagram},
		{"short_datagram", short_datagram},
		{"trunc_stream", trunc_stream},
		{"errqueue_refused", errqueue_refused},
		{"errqueue_timestamp", errqueue_timestamp},
		{"oob", oob},
		{"zerocopy", zerocopy},
		{NULL, NULL},
	};

	return run_mode(modes, argc > 1 ? argv[1] : NULL);
}
