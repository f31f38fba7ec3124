/* SPDX-License-Identifier: GPL-2.0-or-later
 * Calls that wait for data, some of which is there before. See blocking.h. */
#include "blocking.h"

enum { EARLY = 1000, MESSAGES = 8, EARLY_MESSAGES = 3, MESSAGE_SIZE = 10, SHORT = 9 };

static char *space; /* for what is received */

static void make_space(long length)
{
	make_bytes(length);
	space = memory(length);
}

static void give_early(void)
{
	must(sent(write(far, bytes, EARLY)) == EARLY);
}

static void unix_pair(void)
{
	make_space(MIB);
	unix_ends(SOCK_STREAM);
	in_child(give_early);
}

static void tcp_pair(void)
{
	make_space(MIB);
	tcp_ends();
	in_child(give_early);
}

static void give_rest(void)
{
	give_from(EARLY);
}

static void empty_unix_pair(void)
{
	make_space(SHORT);
	unix_ends(SOCK_STREAM);
}

static void limited_unix_pair(void)
{
	unix_pair();
	must(setsockopt(near, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){PATIENCE, 0}, sizeof(struct timeval)) == 0);
}

static void give_short(void)
{
	must(sent(write(far, bytes, SHORT)) == SHORT);
}

/* Checks that a call has got what was sent. */
static long got(long length)
{
	if (length > 0)
		must(memcmp(space, bytes, (size_t)length) == 0);
	return received(length);
}

static long by_recv(void)
{
	return got(recv(near, space, (size_t)size, MSG_WAITALL));
}

static long by_recvmsg(void)
{
	struct iovec parts[] = {{space, (size_t)size / 2}, {space + size / 2, (size_t)(size - size / 2)}};

	return got(recvmsg(near, &(struct msghdr){.msg_iov = parts, .msg_iovlen = 2}, MSG_WAITALL));
}

static long by_recvfrom(void)
{
	struct sockaddr_storage peer;

	return got(
		recvfrom(near, space, (size_t)size, MSG_WAITALL, (struct sockaddr *)&peer, &(socklen_t){sizeof peer}));
}

static long by_read(void)
{
	return got(read(near, space, (size_t)size));
}

static long by_readv(void)
{
	return got(readv(near, (struct iovec[]){{space, 4}, {space + 4, (size_t)size - 4}}, 2));
}

static void give_messages(int from, int to)
{
	for (int i = from; i < to; i++)
		must(sent(send(far, bytes + i * MESSAGE_SIZE, MESSAGE_SIZE, MSG_DONTWAIT)) == MESSAGE_SIZE);
}

static void give_early_messages(void)
{
	give_messages(0, EARLY_MESSAGES);
}

static void give_other_messages(void)
{
	give_messages(EARLY_MESSAGES, MESSAGES);
}

static void datagram_pair(void)
{
	make_space(MESSAGES * MESSAGE_SIZE);
	unix_ends(SOCK_DGRAM);
	in_child(give_early_messages);
}

static long by_recvmmsg_within(struct timespec *timeout)
{
	struct mmsghdr messages[MESSAGES] = {0};
	struct iovec parts[MESSAGES];

	for (int i = 0; i < MESSAGES; i++) {
		parts[i] = (struct iovec){space + i * MESSAGE_SIZE, MESSAGE_SIZE};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
	}
	int count = recvmmsg(near, messages, MESSAGES, 0, timeout);
	got(count * MESSAGE_SIZE);
	return count;
}

static long by_recvmmsg(void)
{
	return by_recvmmsg_within(NULL);
}

static long by_recvmmsg_limited(void)
{
	return by_recvmmsg_within(&(struct timespec){PATIENCE, 0});
}

static void new_pipe(void)
{
	make_space(SHORT);
	pipe_ends(&near, &far);
}

static long by_tee(void)
{
	int from, to;

	pipe_ends(&from, &to);
	return tee(near, to, SHORT, 0);
}

static long by_splice(void)
{
	int from, to;

	pipe_ends(&from, &to);
	return splice(near, NULL, to, NULL, SHORT, 0);
}

int main(int argc, char **argv)
{
	static const struct row rows[] = {
		ENDS("recv-waitall-tcp", tcp_pair, by_recv, give_rest),
		ENDS("recv-waitall-unix", unix_pair, by_recv, give_rest),
		ENDS("recv-waitall-limited", limited_unix_pair, by_recv, give_rest),
		ENDS("recvmsg-waitall-tcp", tcp_pair, by_recvmsg, give_rest),
		ENDS("recvmsg-waitall-unix", unix_pair, by_recvmsg, give_rest),
		ENDS("recvfrom-waitall-tcp", tcp_pair, by_recvfrom, give_rest),
		ENDS("read-unix", empty_unix_pair, by_read, give_short),
		ENDS("readv-unix", empty_unix_pair, by_readv, give_short),
		ENDS("recvmmsg-8", datagram_pair, by_recvmmsg, give_other_messages),
		ENDS("recvmmsg-8-limited", datagram_pair, by_recvmmsg_limited, give_other_messages),
		ENDS("read-pipe", new_pipe, by_read, give_short),
		ENDS("readv-pipe", new_pipe, by_readv, give_short),
		ENDS("tee", new_pipe, by_tee, give_short),
		ENDS("splice-pipe", new_pipe, by_splice, give_short),
		{0},
	};

	return make_one_of(rows, argc, argv);
}
