/* SPDX-License-Identifier: GPL-2.0-or-later
 * Calls that make connections: to a listener that has too many waiting already, or none. See blocking.h. */
#include <sys/un.h>

#include "blocking.h"

enum { TOO_MANY = 4 };

static struct sockaddr_in tcp_address;
static struct sockaddr_un unix_address = {.sun_family = AF_UNIX, .sun_path = "listener"};

static void unix_listener(void)
{
	must((far = socket(AF_UNIX, SOCK_STREAM, 0)) >= 0);
	must(bind(far, (struct sockaddr *)&unix_address, sizeof unix_address) == 0 && listen(far, 0) == 0);
	must((near = socket(AF_UNIX, SOCK_STREAM, 0)) >= 0);
}

static void full_unix_listener(void)
{
	int waiting;

	unix_listener();
	do
		must((waiting = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)) >= 0);
	while (connect(waiting, (struct sockaddr *)&unix_address, sizeof unix_address) == 0);
}

static void full_unix_listener_limited(void)
{
	full_unix_listener();
	set_limit(near, SO_SNDTIMEO);
}

static void tcp_listener(void)
{
	must((far = socket(AF_INET, SOCK_STREAM, 0)) >= 0);
	tcp_address = listen_on(far, 0);
	must((near = socket(AF_INET, SOCK_STREAM, 0)) >= 0);
}

/* What comes now is dropped, and sent again after a second. */
static void full_tcp_listener(void)
{
	tcp_listener();
	for (int i = 0; i < TOO_MANY; i++) {
		int waiting = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

		must(connect(waiting, (struct sockaddr *)&tcp_address, sizeof tcp_address) == 0 ||
		     errno == EINPROGRESS);
	}
}

static void full_tcp_listener_limited(void)
{
	full_tcp_listener();
	set_limit(near, SO_SNDTIMEO);
}

static long connect_unix(void)
{
	return connect(near, (struct sockaddr *)&unix_address, sizeof unix_address);
}

static long connect_tcp(void)
{
	return connect(near, (struct sockaddr *)&tcp_address, sizeof tcp_address);
}

static void accept_some(void)
{
	while (!done) {
		struct pollfd waiting = {.fd = far, .events = POLLIN};

		if (poll(&waiting, 1, 20) == 1)
			must(accept(far, NULL, NULL) >= 0);
	}
}

static void tcp_listener_limited(void)
{
	tcp_listener();
	set_limit(far, SO_RCVTIMEO);
}

static long by_accept(void)
{
	return accept(far, NULL, NULL) >= 0 ? 0 : -1;
}

static long by_accept4(void)
{
	return accept4(far, NULL, NULL, SOCK_CLOEXEC) >= 0 ? 0 : -1;
}

static void call_unix(void)
{
	must(connect_unix() == 0);
}

static void call_tcp(void)
{
	must(connect_tcp() == 0);
}

int main(int argc, char **argv)
{
	static const struct row rows[] = {
		ENDS("connect-unix", full_unix_listener, connect_unix, accept_some),
		EXPIRES("connect-unix-sndtimeo", full_unix_listener_limited, connect_unix),
		ENDS("connect-tcp", full_tcp_listener, connect_tcp, accept_some),
		EXPIRES("connect-tcp-sndtimeo", full_tcp_listener_limited, connect_tcp),
		ENDS("accept-unix", unix_listener, by_accept, call_unix),
		ENDS("accept-tcp", tcp_listener, by_accept4, call_tcp),
		EXPIRES("rcvtimeo-accept", tcp_listener_limited, by_accept),
		EXPIRES("rcvtimeo-accept4", tcp_listener_limited, by_accept4),
		{0},
	};

	return make_one_of(rows, argc, argv);
}
