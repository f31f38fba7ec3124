/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: unusual MODE
 * Unusual ways to open a TCP connection, or to take bytes from one. */
#include "sockets.h"

#include <linux/tcp.h>

static char bytes[1024];
static int pair[2];

/* sendto connects and sends in one call: tcp(7), MSG_FASTOPEN. The fd has no peer when the call is entered. */
static void fast_open(void)
{
	int listener = bound(SOCK_STREAM);
	struct sockaddr_in to = name_of(listener);

	must(listen(listener, 1) == 0);
	pair[0] = socket(AF_INET, SOCK_STREAM, 0);
	sent(sendto(pair[0], bytes, 211, MSG_FASTOPEN, (struct sockaddr *)&to, sizeof to));
	pair[1] = accept(listener, NULL, NULL);
	received(recv(pair[1], bytes, 211, MSG_WAITALL));
	close(pair[0]);
	close(pair[1]);
}

/* connect(2) with AF_UNSPEC ends a connection, and the socket makes another: the kernel begins to count anew. */
static void connected_anew(void)
{
	struct sockaddr none = {.sa_family = AF_UNSPEC};
	int listener = bound(SOCK_STREAM);

	must(listen(listener, 1) == 0);
	pair[0] = socket(AF_INET, SOCK_STREAM, 0);
	connect_to(pair[0], name_of(listener));
	pair[1] = accept(listener, NULL, NULL);
	sent(send(pair[0], bytes, 101, 0));
	received(recv(pair[1], bytes, 101, MSG_WAITALL));
	must(connect(pair[0], &none, sizeof none) == 0);
	close(pair[1]);
	connect_to(pair[0], name_of(listener));
	pair[1] = accept(listener, NULL, NULL);
	sent(send(pair[0], bytes, 211, 0));
	received(recv(pair[1], bytes, 211, MSG_WAITALL));
	close(pair[0]);
	close(pair[1]);
}

/* getsockopt(TCP_ZEROCOPY_RECEIVE) is another way for bytes to come in. What it returns is not their number, so they
 * can't be counted: 97 received that ptmon knows, and 211 that it does not, which are not told. */
static void zerocopy_receive(void)
{
	static char page[4096] __attribute__((aligned(4096)));
	struct tcp_zerocopy_receive how = {.address = (__u64)(unsigned long)page,
					   .copybuf_address = (__u64)(unsigned long)page,
					   .copybuf_len = 4096};
	socklen_t size = sizeof how;

	tcp_pair(pair);
	sent(send(pair[0], bytes, 97, 0));
	received(recv(pair[1], bytes, 97, MSG_WAITALL));
	sent(send(pair[0], bytes, 211, 0));
	await(pair[1], 211);
	skip_unless(getsockopt(pair[1], IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, &how, &size) == 0);
	must(how.copybuf_len == 211);
	close(pair[0]);
	close(pair[1]);
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = {
		{"fast_open", fast_open},
		{"connected_anew", connected_anew},
		{"zerocopy_receive", zerocopy_receive},
		{NULL, NULL},
	};

	return run_mode(modes, argc > 1 ? argv[1] : NULL);
}
