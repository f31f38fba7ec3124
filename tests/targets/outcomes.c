/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: outcomes MODE
 * Calls that fail, move nothing, or move a part. */
#include "sockets.h"

#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/uio.h>

static char bytes[70000];
static int pair[2];

/* Three calls that would block, one that times out, one that succeeds. */
static void eagain(void)
{
	struct timeval soon = {.tv_usec = 20000};

	tcp_pair(pair);
	for (int i = 0; i < 3; i++)
		must(recv(pair[1], bytes, 97, MSG_DONTWAIT) == -1 && errno == EAGAIN);
	must(setsockopt(pair[1], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon) == 0);
	must(recv(pair[1], bytes, 97, 0) == -1 && errno == EAGAIN);
	sent(send(pair[0], bytes, 97, 0));
	received(recv(pair[1], bytes, 97, MSG_WAITALL));
}

static void epipe(void)
{
	must(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	unix_pair(SOCK_STREAM, pair);
	sent(write(pair[0], bytes, 97));
	close(pair[1]);
	must(send(pair[0], bytes, 101, MSG_NOSIGNAL) == -1 && errno == EPIPE);
	must(write(pair[0], bytes, 103) == -1 && errno == EPIPE);
}

/* The process dies of it, after it has told what it sent. */
static void sigpipe(void)
{
	must(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
	unix_pair(SOCK_STREAM, pair);
	sent(write(pair[0], bytes, 97));
	tell(all_sent, all_received);
	close(pair[1]);
	must(write(pair[0], bytes, 103) == 103);
}

/* A connection that is closed with SO_LINGER 0 is reset. */
static void econnreset(void)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	tcp_pair(pair);
	sent(send(pair[1], bytes, 97, 0));
	must(setsockopt(pair[0], SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
	close(pair[0]);
	must(recv(pair[1], bytes, 97, 0) == -1 && errno == ECONNRESET);
}

/* The end of a stream twice, by both calls, and a datagram of no bytes. */
static void nothing(void)
{
	tcp_pair(pair);
	sent(send(pair[0], bytes, 97, 0));
	must(shutdown(pair[0], SHUT_WR) == 0);
	received(recv(pair[1], bytes, 97, MSG_WAITALL));
	must(received(recv(pair[1], bytes, 97, 0)) == 0);
	must(received(read(pair[1], bytes, 97)) == 0);
	udp_pair(pair);
	must(sent(send(pair[0], bytes, 0, 0)) == 0);
	must(received(recv(pair[1], bytes, 97, 0)) == 0);
}

/* Errors of many kinds, each on a socket. */
static void refused(void)
{
	int udp = bound(SOCK_DGRAM), closed = bound(SOCK_DGRAM), tcp = socket(AF_INET, SOCK_STREAM, 0);
	struct iovec piece = {.iov_base = bytes, .iov_len = 97};

	connect_to(udp, name_of(closed));
	close(closed);
	must(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	must(recv(tcp, bytes, 97, 0) == -1 && errno == ENOTCONN);
	must(send(tcp, bytes, 97, 0) == -1 && errno == EPIPE);
	must(send(udp, bytes, sizeof bytes, 0) == -1 && errno == EMSGSIZE);
	must(sendto(udp, (void *)8, 97, 0, NULL, 0) == -1 && errno == EFAULT);
	must(pwritev2(udp, &piece, 1, 0, 0) == -1 && errno == ESPIPE);
	sent(send(udp, bytes, 97, 0));
	await_event(udp, POLLERR);
	must(recv(udp, bytes, 97, 0) == -1 && errno == ECONNREFUSED);
}

/* The second of three messages is too long: the call returns 1. msg_len of the others is none of its business. */
static void mmsg_part_sent(void)
{
	struct iovec pieces[3] = {{bytes, 31}, {bytes, sizeof bytes}, {bytes, 17}};
	struct mmsghdr messages[3] = {0};

	udp_pair(pair);
	for (int i = 0; i < 3; i++) {
		messages[i].msg_hdr.msg_iov = &pieces[i];
		messages[i].msg_hdr.msg_iovlen = 1;
		messages[i].msg_len = 99999;
	}
	must(sendmmsg(pair[0], messages, 3, 0) == 1);
	sent(messages[0].msg_len);
	received(recv(pair[1], bytes, sizeof bytes, 0));
}

/* Room for five messages, three are there. */
static void mmsg_part_received(void)
{
	struct iovec pieces[5];
	struct mmsghdr messages[5] = {0};

	udp_pair(pair);
	sent(send(pair[0], bytes, 31, 0));
	sent(send(pair[0], bytes, 0, 0));
	sent(send(pair[0], bytes, 37, 0));
	for (int i = 0; i < 5; i++) {
		pieces[i] = (struct iovec){bytes, 1000};
		messages[i].msg_hdr.msg_iov = &pieces[i];
		messages[i].msg_hdr.msg_iovlen = 1;
		messages[i].msg_len = 99999;
	}
	must(recvmmsg(pair[1], messages, 5, MSG_DONTWAIT, NULL) == 3);
	for (int i = 0; i < 3; i++)
		received(messages[i].msg_len);
}

/* Fills the queue without blocking: the last calls send a part and then nothing. How much fits is the kernel's
 * business, so all of it is read again. */
static void part_sent(void)
{
	ssize_t once;

	tcp_pair(pair);
	while ((once = send(pair[0], bytes, 69997, MSG_DONTWAIT)) > 0)
		sent(once);
	must(errno == EAGAIN);
	while (all_received < all_sent)
		received(recv(pair[1], bytes, 65537, 0));
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = {
		{"eagain", eagain},
		{"epipe", epipe},
		{"sigpipe", sigpipe},
		{"econnreset", econnreset},
		{"nothing", nothing},
		{"refused", refused},
		{"mmsg_part_sent", mmsg_part_sent},
		{"mmsg_part_received", mmsg_part_received},
		{"part_sent", part_sent},
		{NULL, NULL},
	};

	return run_mode(modes, argc > 1 ? argv[1] : NULL);
}
