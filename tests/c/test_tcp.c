/* SPDX-License-Identifier: GPL-2.0-or-later
 * The kernel's counters, on real loopback connections, are the bytes that were sent and received: in every state that a
 * connection can be in when its fd is closed. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "sockets/tcp.h"

struct pair {
	int client, server;
	bool client_active, server_active;
};

static struct tcp_reading reading_of(int fd)
{
	struct tcp_reading reading;

	CHECK(tcp_read(fd, &reading) == 0);
	return reading;
}

static struct pair connected(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	struct pair pair = {.client = socket(AF_INET, SOCK_STREAM, 0)};
	struct tcp_reading reading;

	CHECK(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 1) == 0);
	CHECK(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
	CHECK(connect(pair.client, (struct sockaddr *)&address, length) == 0);
	pair.server = accept(listener, NULL, NULL);
	CHECK(pair.server >= 0);
	close(listener);
	reading = reading_of(pair.client);
	CHECK(tcp_fresh(&reading, &pair.client_active) && pair.client_active);
	reading = reading_of(pair.server);
	CHECK(tcp_fresh(&reading, &pair.server_active) && !pair.server_active);
	return pair;
}

static void send_and_receive(int from, int to, size_t bytes)
{
	static char buffer[4096];

	CHECK(send(from, buffer, bytes, 0) == (ssize_t)bytes);
	CHECK(recv(to, buffer, bytes, MSG_WAITALL) == (ssize_t)bytes);
}

static void check(int fd, bool active, uint64_t sent, uint64_t received)
{
	struct tcp_reading reading = reading_of(fd);
	struct pt_tcp_info info = tcp_counters(&reading, active, sent, received);

	CHECK(info.bytes_sent == sent);
	CHECK(info.bytes_received == received);
}

static void check_both(const struct pair *pair, uint64_t up, uint64_t down)
{
	check(pair->client, pair->client_active, up, down);
	check(pair->server, pair->server_active, down, up);
}

static void await_end(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLRDHUP};

	CHECK(poll(&p, 1, 10000) == 1);
}

int main(void)
{
	struct pair pair = connected();
	struct tcp_reading reading;
	char byte[8];
	bool active;

	check_both(&pair, 0, 0);
	send_and_receive(pair.client, pair.server, 1009);
	send_and_receive(pair.server, pair.client, 2003);
	check_both(&pair, 1009, 2003);
	reading = reading_of(pair.client);
	CHECK(!tcp_fresh(&reading, &active));

	/* Sent, and not yet read by the other side: sent here, not received there. */
	CHECK(send(pair.client, "12345", 5, 0) == 5);
	check(pair.client, pair.client_active, 1014, 2003);
	check(pair.server, pair.server_active, 2003, 1009);

	/* A FIN, first unread behind data, then with all data read, then read itself. */
	CHECK(shutdown(pair.client, SHUT_WR) == 0);
	await_end(pair.server);
	check(pair.client, pair.client_active, 1014, 2003);
	check(pair.server, pair.server_active, 2003, 1009);
	CHECK(recv(pair.server, byte, 5, MSG_WAITALL) == 5);
	check_both(&pair, 1014, 2003);
	CHECK(recv(pair.server, byte, 5, 0) == 0);
	check_both(&pair, 1014, 2003);

	/* FINs both ways. */
	send_and_receive(pair.server, pair.client, 7);
	CHECK(shutdown(pair.server, SHUT_WR) == 0);
	await_end(pair.client);
	check_both(&pair, 1014, 2010);
	CHECK(recv(pair.client, byte, 1, 0) == 0);
	check_both(&pair, 1014, 2010);
	close(pair.client);
	close(pair.server);

	/* A reset. */
	pair = connected();
	send_and_receive(pair.client, pair.server, 13);
	CHECK(setsockopt(pair.server, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger)) ==
	      0);
	close(pair.server);
	await_end(pair.client);
	check(pair.client, pair.client_active, 13, 0);
	close(pair.client);
	return 0;
}
