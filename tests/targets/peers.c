/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: peers MODE
 * Datagram sockets that speak with several peers: a server and three clients in one process. The clients send 11, 13
 * and 17 bytes and get 101, 103 and 107. */
#include "sockets.h"

#include <stddef.h>
#include <sys/un.h>

enum { CLIENTS = 3 };

static const size_t asked[CLIENTS] = {11, 13, 17}, answered[CLIENTS] = {101, 103, 107};
static char bytes[4096];
static int server, clients[CLIENTS];

static void udp_sockets(void)
{
	server = bound(SOCK_DGRAM);
	for (int i = 0; i < CLIENTS; i++)
		clients[i] = bound(SOCK_DGRAM);
}

static void ask(int i)
{
	struct sockaddr_in to = name_of(server);

	sent(sendto(clients[i], bytes, asked[i], 0, (struct sockaddr *)&to, sizeof to));
}

static void udp(void)
{
	udp_sockets();
	for (int i = 0; i < CLIENTS; i++) {
		struct sockaddr_in from;
		socklen_t length = sizeof from;

		ask(i);
		received(recvfrom(server, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &length));
		sent(sendto(server, bytes, answered[i], 0, (struct sockaddr *)&from, length));
		received(recv(clients[i], bytes, sizeof bytes, 0));
	}
}

static void udp_by_message(void)
{
	struct sockaddr_in from;
	struct iovec piece = {.iov_base = bytes};
	struct msghdr message = {.msg_name = &from, .msg_iov = &piece, .msg_iovlen = 1};

	udp_sockets();
	for (int i = 0; i < CLIENTS; i++) {
		ask(i);
		message.msg_namelen = sizeof from;
		piece.iov_len = sizeof bytes;
		received(recvmsg(server, &message, 0));
		piece.iov_len = answered[i];
		sent(sendmsg(server, &message, 0));
		received(recv(clients[i], bytes, sizeof bytes, 0));
	}
}

/* One recvmmsg gets all three questions, one sendmmsg sends all three answers. */
static void udp_by_messages(void)
{
	struct sockaddr_in from[CLIENTS];
	struct iovec pieces[CLIENTS];
	struct mmsghdr messages[CLIENTS] = {0};

	udp_sockets();
	for (int i = 0; i < CLIENTS; i++) {
		ask(i);
		pieces[i] = (struct iovec){bytes, sizeof bytes};
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = &from[i], .msg_namelen = sizeof from[i], .msg_iov = &pieces[i], .msg_iovlen = 1};
	}
	must(recvmmsg(server, messages, CLIENTS, MSG_WAITFORONE, NULL) == CLIENTS);
	for (int i = 0; i < CLIENTS; i++) {
		received(messages[i].msg_len);
		pieces[i].iov_len = answered[i];
	}
	must(sendmmsg(server, messages, CLIENTS, 0) == CLIENTS);
	for (int i = 0; i < CLIENTS; i++) {
		sent(messages[i].msg_len);
		received(recv(clients[i], bytes, sizeof bytes, 0));
	}
}

/* The server does not ask who it was: its bytes count, their peers are unknown. */
static void udp_nobody_asked(void)
{
	udp_sockets();
	for (int i = 0; i < CLIENTS; i++) {
		ask(i);
		received(read(server, bytes, sizeof bytes));
	}
}

static socklen_t unix_name(struct sockaddr_un *name, int number)
{
	memset(name, 0, sizeof *name);
	name->sun_family = AF_UNIX;
	/* in the abstract namespace: a zero byte first */
	return (socklen_t)offsetof(struct sockaddr_un, sun_path) + 1 +
	       (socklen_t)sprintf(name->sun_path + 1, "ptmon-peers-%d-%d", (int)getpid(), number);
}

static void unix_dgram(void)
{
	struct sockaddr_un name, from;
	socklen_t length;

	server = socket(AF_UNIX, SOCK_DGRAM, 0);
	length = unix_name(&name, CLIENTS);
	must(bind(server, (struct sockaddr *)&name, length) == 0);
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = socket(AF_UNIX, SOCK_DGRAM, 0);
		length = unix_name(&from, i);
		must(bind(clients[i], (struct sockaddr *)&from, length) == 0);
		length = unix_name(&name, CLIENTS);
		sent(sendto(clients[i], bytes, asked[i], 0, (struct sockaddr *)&name, length));
		length = sizeof from;
		received(recvfrom(server, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &length));
		sent(sendto(server, bytes, answered[i], 0, (struct sockaddr *)&from, length));
		received(recv(clients[i], bytes, sizeof bytes, 0));
	}
}

/* A UDP socket that is connected to one peer after another, and then to none. */
static void reconnected(void)
{
	struct sockaddr_in to, none = {.sin_family = AF_UNSPEC};

	udp_sockets();
	for (int i = 0; i < CLIENTS; i++) {
		connect_to(server, name_of(clients[i]));
		sent(send(server, bytes, answered[i], 0));
		sent(write(server, bytes, answered[i]));
		received(recv(clients[i], bytes, sizeof bytes, 0));
		received(recv(clients[i], bytes, sizeof bytes, 0));
	}
	must(connect(server, (struct sockaddr *)&none, sizeof none) == 0);
	to = name_of(clients[0]);
	sent(sendto(server, bytes, 1009, 0, (struct sockaddr *)&to, sizeof to));
	received(recv(clients[0], bytes, sizeof bytes, 0));
}

/* A connected UDP socket may still send to somebody else, by name. */
static void connected_but_named(void)
{
	struct sockaddr_in to;

	udp_sockets();
	connect_to(server, name_of(clients[0]));
	sent(send(server, bytes, 101, 0));
	to = name_of(clients[1]);
	sent(sendto(server, bytes, 103, 0, (struct sockaddr *)&to, sizeof to));
	received(recv(clients[0], bytes, sizeof bytes, 0));
	received(recv(clients[1], bytes, sizeof bytes, 0));
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = {
		{"udp", udp},
		{"udp_by_message", udp_by_message},
		{"udp_by_messages", udp_by_messages},
		{"udp_nobody_asked", udp_nobody_asked},
		{"unix_dgram", unix_dgram},
		{"reconnected", reconnected},
		{"connected_but_named", connected_but_named},
		{NULL, NULL},
	};

	return run_mode(modes, argc > 1 ? argv[1] : NULL);
}
