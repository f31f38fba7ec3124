/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * getsockopt(2) with a length that can't be read fails for every fd, and how it fails tells what the fd is. EBADF and
 * ENOTSOCK come first (net/socket.c, __sys_getsockopt). Then each protocol looks whether the level is its own, or one
 * of those that it is built upon, before it reads the length: EFAULT. If not:
 *
 *   ENOPROTOOPT  IPv6 (net/ipv6/ipv6_sockglue.c), netlink, packet, vsock and most others
 *   EOPNOTSUPP   IPv4 (net/ipv4/ip_sockglue.c), MPTCP, and families that have no getsockopt at all, as AF_UNIX
 *
 * No protocol has an option of the number that is asked for, so that none would be told if the length could be read.
 * Some levels have two meanings: 6 is Bluetooth's L2CAP, too, and TIPC answers it; 17 is its SCO, 0 its HCI. So a
 * family is known by two answers at least. An IPPROTO_SMC socket passes all on to a TCP one, but for its own level.
 *
 * AF_UNIX has no level. It is what has none, knows shutdown(2), which fails since no such direction exists (most
 * families have no shutdown: EOPNOTSUPP), and has a queue for SIOCOUTQ; MPTCP has these, too, and a level of its own.
 * Bluetooth does not look at the direction. It has levels, so it is never asked that, unless another thread had put one
 * of its sockets in the place of the one that was asked before: so only where no other thread could.
 *
 * UDP and UDP-Lite answer the same, raw and other IP sockets nothing of their own.
 */
#include "sockets/answers.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define MOST_STEPS 5
#define NO_OPTION 0x7fff0000
#define NO_DIRECTION 0x7f00
#define NOWHERE ((uint64_t)-1) /* never an address of a process, on any architecture */
#define LEVEL_NETLINK 270      /* include/linux/socket.h of the kernel; older C libraries lack some */
#define LEVEL_MPTCP 284
#define LEVEL_SMC 286
#define OPTION_MPTCP_INFO 1
#define LEVEL_PACKET 263

#define GETSOCKOPT_I386 365
#define SHUTDOWN_I386 373
#define IOCTL_I386 54

/* The first row whose answers are all as it says is what the socket is. */
static const struct row_of_answers {
	struct {
		enum question_kind kind;
		int error;
	} steps[MOST_STEPS]; /* up to one without an error */
	struct found_socket socket;
} rows[] = {
	{{{QUESTION_TCP, EFAULT}, {QUESTION_SMC, EOPNOTSUPP}}, {AF_INET, SOCK_STREAM, IPPROTO_TCP}},
	{{{QUESTION_TCP, EFAULT}, {QUESTION_SMC, ENOPROTOOPT}, {QUESTION_IPV6, EFAULT}},
	 {AF_INET6, SOCK_STREAM, IPPROTO_TCP}},
	{{{QUESTION_TCP, EOPNOTSUPP}, {QUESTION_IP, EFAULT}, {QUESTION_UDP, EFAULT}}, {AF_INET, SOCK_DGRAM, 0}},
	{{{QUESTION_TCP, EOPNOTSUPP}, {QUESTION_IP, EFAULT}}, {AF_INET, 0, 0}},
	{{{QUESTION_TCP, ENOPROTOOPT}, {QUESTION_IPV6, EFAULT}, {QUESTION_UDP, EFAULT}}, {AF_INET6, SOCK_DGRAM, 0}},
	{{{QUESTION_TCP, ENOPROTOOPT}, {QUESTION_IPV6, EFAULT}}, {AF_INET6, 0, 0}},
	{{{QUESTION_TCP, EOPNOTSUPP},
	  {QUESTION_IP, EOPNOTSUPP},
	  {QUESTION_MPTCP, EOPNOTSUPP},
	  {QUESTION_SHUTDOWN, EINVAL},
	  {QUESTION_QUEUE, EFAULT}},
	 {AF_UNIX, 0, 0}},
	{{{QUESTION_TCP, ENOPROTOOPT}, {QUESTION_NETLINK, EFAULT}}, {AF_NETLINK, 0, 0}},
	{{{QUESTION_TCP, ENOPROTOOPT}, {QUESTION_PACKET, EFAULT}}, {AF_PACKET, 0, 0}},
	{{{QUESTION_TCP, ENOPROTOOPT}, {QUESTION_VSOCK, EFAULT}}, {AF_VSOCK, 0, 0}},
};

/* Does this row hold? If that is not known yet, *next is what to ask. */
static enum finding read_row(const struct row_of_answers *row, const struct answers *answers, enum question_kind *next)
{
	for (unsigned int i = 0; i < MOST_STEPS && row->steps[i].error; i++) {
		enum question_kind kind = row->steps[i].kind;

		if (kind == QUESTION_SHUTDOWN && !answers->alone)
			return FOUND_UNCERTAIN;
		*next = kind;
		if (!answers->error[kind])
			return FOUND_NOTHING_YET;
		if (answers->error[kind] != row->steps[i].error)
			return FOUND_UNCERTAIN;
	}
	return FOUND_SOCKET;
}

enum finding answers_read(const struct answers *answers, enum question_kind *next, struct found_socket *socket)
{
	*next = QUESTION_TCP;
	switch (answers->error[QUESTION_TCP]) {
	case 0:
		return FOUND_NOTHING_YET;
	case EBADF:
		return FOUND_CLOSED;
	case ENOTSOCK:
		return FOUND_OTHER;
	case EFAULT:
	case ENOPROTOOPT:
	case EOPNOTSUPP:
	case EINVAL:
		break;
	default: /* somebody else's word, a security module's for instance */
		return FOUND_UNCERTAIN;
	}
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum finding found = read_row(&rows[i], answers, next);

		*socket = rows[i].socket;
		if (found != FOUND_UNCERTAIN)
			return found;
	}
	*socket = (struct found_socket){.family = -1};
	return FOUND_SOCKET;
}

static uint64_t level_of(enum question_kind kind)
{
	switch (kind) {
	case QUESTION_TCP:
		return IPPROTO_TCP;
	case QUESTION_SMC:
		return LEVEL_SMC;
	case QUESTION_IPV6:
		return IPPROTO_IPV6;
	case QUESTION_UDP:
		return IPPROTO_UDP;
	case QUESTION_MPTCP:
		return LEVEL_MPTCP;
	case QUESTION_NETLINK:
		return LEVEL_NETLINK;
	case QUESTION_PACKET:
		return LEVEL_PACKET;
	case QUESTION_VSOCK:
		return AF_VSOCK;
	default:
		return IPPROTO_IP;
	}
}

void answers_call(enum question_kind kind, int fd, bool compat, struct question_call *call)
{
	switch (kind) {
	case QUESTION_SHUTDOWN:
		*call = (struct question_call){compat ? SHUTDOWN_I386 : SYS_shutdown, {(uint64_t)fd, NO_DIRECTION}};
		return;
	case QUESTION_QUEUE:
		*call = (struct question_call){compat ? IOCTL_I386 : SYS_ioctl, {(uint64_t)fd, TIOCOUTQ, NOWHERE}};
		return;
	default:
		*call = (struct question_call){
			compat ? GETSOCKOPT_I386 : SYS_getsockopt,
			{(uint64_t)fd, level_of(kind), kind == QUESTION_MPTCP ? OPTION_MPTCP_INFO : NO_OPTION, NOWHERE,
			 NOWHERE},
		};
	}
}
