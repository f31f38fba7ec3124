/* SPDX-License-Identifier: GPL-2.0-or-later
 * Calls on sockets that have a time limit (SO_RCVTIMEO, SO_SNDTIMEO). See blocking.h. */
#include <sys/sendfile.h>

#include "blocking.h"

enum { EARLY = 100, SHORT = 9 };

static char space[1000];

static void unix_pair(void)
{
	unix_ends(SOCK_STREAM);
}

/* With buffers of a fixed size: once they are full they stay so. */
static void tcp_pair(void)
{
	tcp_ends();
	must(setsockopt(near, SOL_SOCKET, SO_SNDBUF, &(int){32 * KIB}, sizeof(int)) == 0);
	must(setsockopt(far, SOL_SOCKET, SO_RCVBUF, &(int){32 * KIB}, sizeof(int)) == 0);
}

static void receiving_unix(void)
{
	unix_pair();
	set_limit(near, SO_RCVTIMEO);
}

static void receiving_tcp(void)
{
	tcp_pair();
	set_limit(near, SO_RCVTIMEO);
}

static void give_early(void)
{
	must(sent(write(far, space, EARLY)) == EARLY);
}

static void receiving_unix_early(void)
{
	receiving_unix();
	in_child(give_early);
}

static void receiving_tcp_early(void)
{
	receiving_tcp();
	in_child(give_early);
}

static void sending_unix(void)
{
	unix_pair();
	in_child(fill_socket);
	set_limit(near, SO_SNDTIMEO);
}

static void sending_tcp(void)
{
	tcp_pair();
	in_child(fill_socket);
	set_limit(near, SO_SNDTIMEO);
}

static long by_recv(void)
{
	return received(recv(near, space, SHORT, 0));
}

static long by_read(void)
{
	return received(read(near, space, SHORT));
}

static long by_readv(void)
{
	return received(readv(near, &(struct iovec){space, SHORT}, 1));
}

static long by_preadv2(void)
{
	return received(preadv2(near, &(struct iovec){space, SHORT}, 1, -1, 0));
}

static long by_recvmsg(void)
{
	struct iovec part = {space, SHORT};

	return received(recvmsg(near, &(struct msghdr){.msg_iov = &part, .msg_iovlen = 1}, 0));
}

static long by_recvfrom(void)
{
	struct sockaddr_storage peer;

	return received(recvfrom(near, space, SHORT, 0, (struct sockaddr *)&peer, &(socklen_t){sizeof peer}));
}

static long by_recvmmsg(void)
{
	struct iovec part = {space, SHORT};
	struct mmsghdr messages[2] = {{.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}},
				      {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}}};

	return recvmmsg(near, messages, 2, 0, NULL);
}

static long by_peeking(void)
{
	return recv(near, space, SHORT, MSG_PEEK);
}

/* Natively it returns what came, at its limit. */
static long by_recv_of_all(void)
{
	return received(recv(near, space, sizeof space, MSG_WAITALL));
}

static long by_recvmsg_of_all(void)
{
	struct iovec part = {space, sizeof space};

	return received(recvmsg(near, &(struct msghdr){.msg_iov = &part, .msg_iovlen = 1}, MSG_WAITALL));
}

static long by_splice_from(void)
{
	int from, to;

	pipe_ends(&from, &to);
	return received(splice(near, NULL, to, NULL, SHORT, 0));
}

static long by_send(void)
{
	return sent(send(near, space, SHORT, 0));
}

static long by_write(void)
{
	return sent(write(near, space, SHORT));
}

static long by_sendmsg(void)
{
	struct iovec part = {space, SHORT};

	return sent(sendmsg(near, &(struct msghdr){.msg_iov = &part, .msg_iovlen = 1}, 0));
}

static long by_writev(void)
{
	return sent(writev(near, &(struct iovec){space, SHORT}, 1));
}

static long by_pwritev2(void)
{
	return sent(pwritev2(near, &(struct iovec){space, SHORT}, 1, -1, 0));
}

static long by_sendmmsg(void)
{
	struct iovec part = {space, SHORT};

	return sendmmsg(near, &(struct mmsghdr){.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}}, 1, 0);
}

static long by_sendfile(void)
{
	return sent(sendfile(near, new_file("source", 100), &(off_t){0}, 50));
}

static long by_splice_to(void)
{
	int from, to;

	pipe_ends(&from, &to);
	must(write(to, space, SHORT) == SHORT);
	return sent(splice(from, NULL, near, NULL, SHORT, 0));
}

int main(int argc, char **argv)
{
	static const struct row rows[] = {
		EXPIRES("rcvtimeo-recv", receiving_unix, by_recv),
		EXPIRES("rcvtimeo-read", receiving_unix, by_read),
		EXPIRES("rcvtimeo-readv", receiving_unix, by_readv),
		EXPIRES("rcvtimeo-preadv2", receiving_unix, by_preadv2),
		EXPIRES("rcvtimeo-recvmsg", receiving_unix, by_recvmsg),
		EXPIRES("rcvtimeo-recvfrom-addr", receiving_unix, by_recvfrom),
		EXPIRES("rcvtimeo-recvmmsg", receiving_unix, by_recvmmsg),
		EXPIRES("rcvtimeo-peek", receiving_unix, by_peeking),
		EXPIRES("rcvtimeo-waitall", receiving_unix, by_recv_of_all),
		EXPIRES("rcvtimeo-waitall-some", receiving_unix_early, by_recv_of_all),
		EXPIRES("rcvtimeo-waitall-some-tcp", receiving_tcp_early, by_recv_of_all),
		EXPIRES("rcvtimeo-recvmsg-waitall-some", receiving_tcp_early, by_recvmsg_of_all),
		EXPIRES("rcvtimeo-splice", receiving_unix, by_splice_from),
		EXPIRES("rcvtimeo-tcp-recv", receiving_tcp, by_recv),
		EXPIRES("rcvtimeo-tcp-splice", receiving_tcp, by_splice_from),
		EXPIRES("sndtimeo-send", sending_unix, by_send),
		EXPIRES("sndtimeo-write", sending_unix, by_write),
		EXPIRES("sndtimeo-sendmsg", sending_unix, by_sendmsg),
		EXPIRES("sndtimeo-writev", sending_unix, by_writev),
		EXPIRES("sndtimeo-pwritev2", sending_unix, by_pwritev2),
		EXPIRES("sndtimeo-sendmmsg", sending_unix, by_sendmmsg),
		EXPIRES("sndtimeo-sendfile", sending_tcp, by_sendfile),
		EXPIRES("sndtimeo-splice", sending_tcp, by_splice_to),
		EXPIRES("sndtimeo-tcp-send", sending_tcp, by_send),
		{0},
	};

	return make_one_of(rows, argc, argv);
}
