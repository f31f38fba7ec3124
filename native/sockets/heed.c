/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Questions and answers of DNS, and of who asks on a program's behalf, on this machine; and the first bytes that go out
 * on a connection, where HTTP and TLS name whom they want.
 */
#include "sockets/heed.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define PORT_DNS 53
/* So many connections with one peer are looked at, for each costs a stop; a benchmark's have one name. */
#define MOST_OF_PEER 64
/* And so much is told in a second: who asks more often asks for others, or measures a server of names. */
#define MOST_OF_SECOND 256

/* nscd of glibc (nscd(8)) and nss-resolve (systemd-resolved(8)). */
static const char *const resolvers[] = {
	"/run/nscd/socket",
	"/var/run/nscd/socket",
	"/run/systemd/resolve/io.systemd.Resolve",
};

static bool is_dns(const uint8_t *address, uint32_t length)
{
	struct sockaddr_in in; /* AF_INET6 has its port at the same place */

	if (length < offsetof(struct sockaddr_in, sin_addr))
		return false;
	memcpy(&in, address, offsetof(struct sockaddr_in, sin_addr));
	return (in.sin_family == AF_INET || in.sin_family == AF_INET6) && in.sin_port == htons(PORT_DNS);
}

static bool is_resolver(const struct pt_socket_info *info)
{
	const size_t before = offsetof(struct sockaddr_un, sun_path);

	if (info->family != AF_UNIX || info->peer_length <= before || info->peer_length > sizeof(info->peer))
		return false;
	for (size_t i = 0; i < sizeof(resolvers) / sizeof(resolvers[0]); i++) {
		const size_t length = strlen(resolvers[i]), given = info->peer_length - before;

		if (given >= length && memcmp(info->peer + before, resolvers[i], length) == 0 &&
		    (given == length || !info->peer[before + length]))
			return true;
	}
	return false;
}

/* Two peers with one value share what is looked at, and no more. */
static uint32_t key_of(const struct pt_socket_info *info)
{
	return (uint32_t)hash_bytes(HASH_BEGIN, info->peer, info->peer_length);
}

static bool seldom(struct pt_tracer *t, const struct pt_socket_info *info)
{
	const uint32_t key = key_of(info), at = key % HEEDED_PEERS;

	if (t->heeding.peers[at].key != key)
		t->heeding.peers[at].count = 0;
	t->heeding.peers[at].key = key;
	return t->heeding.peers[at].count++ < MOST_OF_PEER;
}

static bool has_told_enough(struct pt_tracer *t)
{
	if (t->now - t->heeding.since >= NSEC_PER_SEC) {
		t->heeding.since = t->now;
		t->heeding.told = 0;
	}
	return t->heeding.told >= MOST_OF_SECOND;
}

bool heed_tells(struct pt_tracer *t)
{
	if (has_told_enough(t))
		return false;
	t->heeding.told++;
	return true;
}

static bool begins(const struct socket *socket)
{
	const struct pt_socket_info *info = &socket->info;

	return (info->family == AF_INET || info->family == AF_INET6) && info->type == SOCK_STREAM &&
	       info->origin == PT_ORIGIN_CONNECTED && info->peer_length && !socket->existed && !socket->sent &&
	       !socket->received;
}

void heed_look(struct pt_tracer *t, struct socket *socket)
{
	if (!t->options.names || socket->heed == HEED_ALL || has_told_enough(t))
		return;
	if (is_dns(socket->info.peer, socket->info.peer_length) || is_resolver(&socket->info)) {
		socket->heed = HEED_ALL;
	} else if (!socket->heeded && begins(socket)) {
		socket->heeded = true;
		if (seldom(t, &socket->info))
			socket->heed = HEED_FIRST;
	}
}

bool heed_peer(struct pt_tracer *t, struct socket *socket, const uint8_t *peer, uint32_t length)
{
	if (!t->options.names || socket->heed == HEED_ALL || !is_dns(peer, length) || has_told_enough(t))
		return false;
	socket->heed = HEED_ALL;
	return true;
}
