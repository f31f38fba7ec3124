/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the kernel answers of sockets that are known is what they are, or nothing; and nothing of them is changed. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"
#include "sockets/answers.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#define FEW 8

static enum finding ask_all(int fd, bool alone, struct found_socket *socket)
{
	struct answers answers = {.alone = alone};
	enum finding found;
	enum question_kind next;

	for (int asked = 0; (found = answers_read(&answers, &next, socket)) == FOUND_NOTHING_YET; asked++) {
		struct question_call call;
		long result;

		CHECK(asked < FEW);
		answers_call(next, fd, false, &call);
		result = syscall(call.number, call.args[0], call.args[1], call.args[2], call.args[3], call.args[4]);
		CHECK(result == -1);
		answers.error[next] = errno;
	}
	return found;
}

static int option(int fd, int name)
{
	int value = -1;
	socklen_t length = sizeof(value);

	CHECK(getsockopt(fd, SOL_SOCKET, name, &value, &length) == 0);
	return value;
}

/* Its type is told, or not known; the family is told if it is to be certain. */
static void check_socket(int family, int type, int protocol, bool certain)
{
	int fd = socket(family, type, protocol);
	struct found_socket found;

	if (fd < 0)
		return; /* not on this machine, or not for this user */
	CHECK(ask_all(fd, true, &found) == FOUND_SOCKET);
	CHECK(found.family == family || (found.family == -1 && !certain));
	CHECK(found.type == 0 || found.type == option(fd, SO_TYPE));
	CHECK(found.protocol == 0 || found.protocol == option(fd, SO_PROTOCOL));
	CHECK(option(fd, SO_ERROR) == 0);
	CHECK(ask_all(fd, false, &found) == FOUND_SOCKET);
	CHECK(found.family == (family == AF_UNIX || !certain ? -1 : family));
	close(fd);
}

static void check_sockets(void)
{
	const int families[2] = {AF_INET, AF_INET6};

	for (int i = 0; i < 2; i++) {
		check_socket(families[i], SOCK_STREAM, 0, true);
		check_socket(families[i], SOCK_DGRAM, 0, true);
		check_socket(families[i], SOCK_DGRAM, IPPROTO_UDPLITE, true);
		check_socket(families[i], SOCK_DGRAM, i ? IPPROTO_ICMPV6 : IPPROTO_ICMP, true);
		check_socket(families[i], SOCK_RAW, IPPROTO_UDP, true);
		check_socket(families[i], SOCK_STREAM, IPPROTO_SCTP, true);
		check_socket(families[i], SOCK_STREAM, IPPROTO_MPTCP, false);
	}
	check_socket(AF_UNIX, SOCK_STREAM, 0, true);
	check_socket(AF_UNIX, SOCK_DGRAM, 0, true);
	check_socket(AF_UNIX, SOCK_SEQPACKET, 0, true);
	check_socket(AF_NETLINK, SOCK_RAW, 0, true);
	check_socket(AF_PACKET, SOCK_RAW, 0, true);
	check_socket(AF_PACKET, SOCK_PACKET, 0, false);
	check_socket(AF_VSOCK, SOCK_STREAM, 0, true);
	check_socket(AF_ALG, SOCK_SEQPACKET, 0, false);
	check_socket(AF_XDP, SOCK_RAW, 0, false);
	check_socket(AF_TIPC, SOCK_STREAM, 0, false);
	check_socket(AF_BLUETOOTH, SOCK_RAW, 1, false);
}

static void check_others(void)
{
	const int flags[2] = {O_RDONLY, O_PATH};
	struct found_socket found;
	int ends[2];

	CHECK(pipe(ends) == 0 && ask_all(ends[0], true, &found) == FOUND_OTHER);
	close(ends[0]);
	close(ends[1]);
	CHECK(ask_all(ends[0], true, &found) == FOUND_CLOSED);
	for (int i = 0; i < 2; i++) {
		int fd = open("/proc/self/exe", flags[i]);

		CHECK(fd >= 0 && ask_all(fd, true, &found) == (i ? FOUND_CLOSED : FOUND_OTHER));
		close(fd);
	}
}

/* Both ends can be used as before, in both directions. */
static void check_unchanged(void)
{
	struct found_socket found;
	char byte = 'x';
	int pair[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && write(pair[0], &byte, 1) == 1);
	CHECK(ask_all(pair[0], true, &found) == FOUND_SOCKET && ask_all(pair[1], true, &found) == FOUND_SOCKET);
	CHECK(read(pair[1], &byte, 1) == 1 && write(pair[1], &byte, 1) == 1 && read(pair[0], &byte, 1) == 1);
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	struct answers denied = {.error[QUESTION_TCP] = EPERM};
	struct found_socket found;
	enum question_kind next;

	check_sockets();
	check_others();
	check_unchanged();
	CHECK(answers_read(&denied, &next, &found) == FOUND_UNCERTAIN);
	return 0;
}
