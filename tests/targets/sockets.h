/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the counting targets share: connected pairs within one process, and the sums that they tell. */
#ifndef SOCKETS_H
#define SOCKETS_H

#include "tell.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/types.h>

enum { SKIPPED = 77 }; /* exit status: this machine can't do it; the reason is on stderr */

#define skip_unless(ok)                \
	do {                           \
		if (!(ok)) {           \
			perror(#ok);   \
			exit(SKIPPED); \
		}                      \
	} while (0)

static unsigned long long all_sent, all_received;

/* Wrap a call that must succeed and whose bytes are to be counted. */
static inline ssize_t sent(ssize_t bytes)
{
	must(bytes >= 0);
	all_sent += (unsigned long long)bytes;
	return bytes;
}

static inline ssize_t received(ssize_t bytes)
{
	must(bytes >= 0);
	all_received += (unsigned long long)bytes;
	return bytes;
}

static inline struct sockaddr_in loopback(in_port_t port_in_network_order)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = port_in_network_order};

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return address;
}

static inline struct sockaddr_in name_of(int fd)
{
	struct sockaddr_in address;
	socklen_t length = sizeof address;

	must(getsockname(fd, (struct sockaddr *)&address, &length) == 0);
	return address;
}

/* A socket of that type, bound to a free port of 127.0.0.1. */
static inline int bound(int type)
{
	int fd = socket(AF_INET, type, 0);
	struct sockaddr_in address = loopback(0);

	must(fd >= 0);
	must(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
	return fd;
}

static inline void connect_to(int fd, struct sockaddr_in address)
{
	must(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
}

/* A TCP connection to itself: pair[0] opened it, pair[1] accepted it. */
static inline void tcp_pair(int pair[2])
{
	int listener = bound(SOCK_STREAM);

	must(listen(listener, 1) == 0);
	pair[0] = socket(AF_INET, SOCK_STREAM, 0);
	must(pair[0] >= 0);
	connect_to(pair[0], name_of(listener));
	pair[1] = accept(listener, NULL, NULL);
	must(pair[1] >= 0);
	close(listener);
}

static inline void udp_pair(int pair[2])
{
	pair[0] = bound(SOCK_DGRAM);
	pair[1] = bound(SOCK_DGRAM);
	connect_to(pair[0], name_of(pair[1]));
	connect_to(pair[1], name_of(pair[0]));
}

static inline void unix_pair(int type, int pair[2])
{
	must(socketpair(AF_UNIX, type, 0, pair) == 0);
}

/* Waits until that many bytes can be read at once, so that one call gets them all. */
static inline void await(int fd, int bytes)
{
	int ready = 0;

	for (;;) {
		must(ioctl(fd, FIONREAD, &ready) == 0);
		if (ready >= bytes)
			return;
		poll(NULL, 0, 1);
	}
}

static inline void await_event(int fd, short events)
{
	struct pollfd wanted = {.fd = fd, .events = events};

	must(poll(&wanted, 1, 30000) == 1);
}

/* The modes of a target, chosen by argv[1]. The last entry has no name. */
struct mode {
	const char *name;
	void (*run)(void);
};

static inline int run_mode(const struct mode *modes, const char *wanted)
{
	for (; modes->name; modes++) {
		if (wanted && strcmp(modes->name, wanted) == 0) {
			modes->run();
			tell(all_sent, all_received);
			return 0;
		}
	}
	fprintf(stderr, "no such mode\n");
	return 2;
}

#endif
