/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: families MODE
 * One exchange for each kind of socket that works within one machine: 211 bytes one way, 503 the other, if not said
 * otherwise. */
#include "sockets.h"

#include <linux/if_alg.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

static char bytes[65536];
static int pair[2];

static void exchange(void)
{
	sent(send(pair[0], bytes, 211, 0));
	must(received(recv(pair[1], bytes, 211, 0)) == 211);
	sent(send(pair[1], bytes, 503, 0));
	must(received(recv(pair[0], bytes, 503, 0)) == 503);
}

static void inet_stream(void)
{
	tcp_pair(pair);
	exchange();
}

static void inet_dgram(void)
{
	udp_pair(pair);
	exchange();
}

/* Connects to an address of the IPv6 loopback, or to 127.0.0.1 in IPv6 clothes. */
static void inet6_to(struct in6_addr address)
{
	struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_addr = address};
	socklen_t length = sizeof name;
	int listener = socket(AF_INET6, SOCK_STREAM, 0);

	skip_unless(listener >= 0);
	skip_unless(bind(listener, (struct sockaddr *)&name, sizeof name) == 0);
	must(listen(listener, 1) == 0);
	must(getsockname(listener, (struct sockaddr *)&name, &length) == 0);
	pair[0] = socket(AF_INET6, SOCK_STREAM, 0);
	must(connect(pair[0], (struct sockaddr *)&name, sizeof name) == 0);
	pair[1] = accept(listener, NULL, NULL);
	must(pair[1] >= 0);
	exchange();
}

static void inet6_stream(void)
{
	inet6_to(in6addr_loopback);
}

static void inet6_mapped(void)
{
	struct in6_addr mapped = {.s6_addr = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1}};

	inet6_to(mapped);
}

static void unix_stream(void)
{
	unix_pair(SOCK_STREAM, pair);
	exchange();
}

static void unix_seqpacket(void)
{
	unix_pair(SOCK_SEQPACKET, pair);
	exchange();
}

static void unix_dgram(void)
{
	unix_pair(SOCK_DGRAM, pair);
	exchange();
}

/* Asks the kernel for its interfaces: rtnetlink(7). The lengths of the answers are the kernel's. */
static void netlink(void)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg body;
	} question = {.header = {.nlmsg_len = sizeof question,
				 .nlmsg_type = RTM_GETLINK,
				 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	skip_unless(fd >= 0);
	sent(send(fd, &question, sizeof question, 0));
	for (;;) {
		ssize_t length = received(recv(fd, bytes, sizeof bytes, 0));
		struct nlmsghdr *message = (struct nlmsghdr *)(void *)bytes;

		for (; NLMSG_OK(message, (unsigned int)length); message = NLMSG_NEXT(message, length))
			if (message->nlmsg_type == NLMSG_DONE)
				return;
	}
}

/* A frame of an experimental protocol number over lo (IEEE Std 802: 0x88b5): 211 bytes, one way. */
static void packet(void)
{
	struct sockaddr_ll lo = {.sll_family = AF_PACKET, .sll_protocol = htons(0x88b5), .sll_halen = 6};
	int in = socket(AF_PACKET, SOCK_DGRAM, 0), out = socket(AF_PACKET, SOCK_DGRAM, 0);

	skip_unless(in >= 0 && out >= 0);
	lo.sll_ifindex = (int)if_nametoindex("lo");
	must(bind(in, (struct sockaddr *)&lo, sizeof lo) == 0);
	sent(sendto(out, bytes, 211, 0, (struct sockaddr *)&lo, sizeof lo));
	must(received(recv(in, bytes, sizeof bytes, 0)) == 211);
}

/* The kernel's SHA-256 behind a socket, of a family that has no name of its own in a report: 211 bytes to it, 32 from
 * it. */
static void other(void)
{
	struct sockaddr_alg name = {.salg_family = AF_ALG, .salg_type = "hash", .salg_name = "sha256"};
	int listener = socket(AF_ALG, SOCK_SEQPACKET, 0), fd;

	skip_unless(listener >= 0);
	skip_unless(bind(listener, (struct sockaddr *)&name, sizeof name) == 0);
	fd = accept(listener, NULL, NULL);
	must(fd >= 0);
	sent(send(fd, bytes, 211, 0));
	must(received(recv(fd, bytes, 32, 0)) == 32);
}

/* Multipath TCP: a stream of its own protocol, whose subflows are TCP sockets that no fd names. */
static void mptcp(void)
{
	struct sockaddr_in address = loopback(0);
	int listener = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);

	skip_unless(listener >= 0);
	must(bind(listener, (struct sockaddr *)&address, sizeof address) == 0);
	must(listen(listener, 1) == 0);
	pair[0] = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
	must(pair[0] >= 0);
	connect_to(pair[0], name_of(listener));
	pair[1] = accept(listener, NULL, NULL);
	must(pair[1] >= 0);
	exchange();
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = {
		{"inet_stream", inet_stream},
		{"inet_dgram", inet_dgram},
		{"inet6_stream", inet6_stream},
		{"inet6_mapped", inet6_mapped},
		{"unix_stream", unix_stream},
		{"unix_seqpacket", unix_seqpacket},
		{"unix_dgram", unix_dgram},
		{"netlink", netlink},
		{"packet", packet},
		{"other", other},
		{"mptcp", mptcp},
		{NULL, NULL},
	};

	return run_mode(modes, argc > 1 ? argv[1] : NULL);
}
