/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The rows of the socket table, as Python is told of them: one a socket, and for datagrams one a peer.
 */
#include "sockets/rows.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "machine/pidfd.h"
#include "records/debug.h"
#include "records/emit.h"
#include "sockets/identify.h"
#include "state/door.h"

/* FNV-1a over the socket and the peer. A server of datagrams may have thousands of peers on one socket. */
static struct row **bucket(struct pt_tracer *t, const struct socket *socket, const uint8_t *peer, uint32_t length)
{
	uint64_t hash = 0xcbf29ce484222325u ^ (uintptr_t)socket;

	for (uint32_t i = 0; i < length; i++)
		hash = (hash ^ peer[i]) * 0x100000001b3u;
	return &t->rows[(hash ^ hash >> 32) & (HASH_SIZE - 1)];
}

static struct row *find(struct pt_tracer *t, const struct socket *socket, const uint8_t *peer, uint32_t length)
{
	struct row *row = *bucket(t, socket, peer, length);

	while (row && (row->socket != socket || row->peer_length != length || memcmp(row->peer, peer, length) != 0))
		row = row->bucket_next;
	return row;
}

/* A further peer's row begins with the first transfer. */
static uint64_t opened(const struct socket *socket, uint64_t time)
{
	return socket->told || !socket->seen || (uint64_t)socket->seen > time ? time : (uint64_t)socket->seen;
}

static struct row *create(struct pt_tracer *t, struct socket *socket, uint64_t time, const uint8_t *peer,
			  uint32_t length)
{
	struct row **head = bucket(t, socket, peer, length);
	struct row *row = malloc(sizeof(*row) + length);

	if (!row)
		return NULL;
	*row = (struct row){.next = socket->rows, .bucket_next = *head, .socket = socket, .id = ++t->next_row};
	row->opened = opened(socket, time);
	row->peer_length = length;
	memcpy(row->peer, peer, length);
	socket->told = true;
	socket->rows = *head = row;
	return row;
}

void rows_free(struct pt_tracer *t, struct socket *socket)
{
	for (struct row *row = socket->rows, *next; row; row = next) {
		struct row **at = bucket(t, socket, row->peer, row->peer_length);

		next = row->next;
		while (*at != row)
			at = &(*at)->bucket_next;
		*at = row->bucket_next;
		free(row);
	}
	socket->rows = NULL;
}

bool socket_takes_addresses(const struct socket *socket)
{
	return socket->info.type == SOCK_DGRAM &&
	       (socket->info.family == AF_INET || socket->info.family == AF_INET6 || socket->info.family == AF_UNIX);
}

static void tell_row(struct pt_tracer *t, struct tracee *tracee, struct socket *socket, const struct row *row, int fd,
		     uint64_t time)
{
	struct pt_socket_info info = socket->info;
	struct pt_record *record;

	if (row->peer_length) {
		memcpy(info.peer, row->peer, row->peer_length);
		info.peer_length = row->peer_length;
	}
	info.opened = row->opened;
	record = emit(t, PT_SOCKET, tracee, &info, sizeof(info));
	if (record) {
		record->time = time;
		record->socket = row->id;
		record->fd = fd;
	}
}

/* A process may have used a socket before the one that it was told of first for: their rings are read one by one. */
static void tell_earlier(struct pt_tracer *t, const struct row *row, uint64_t time)
{
	if (row->batch == t->out.batch && row->index < t->out.count && t->out.records[row->index].time > time)
		t->out.records[row->index].time = time;
}

static void tell_closed(struct pt_tracer *t, struct tracee *tracee, const struct socket *socket, int fd, bool maybe,
			const struct pt_tcp_info *counters)
{
	for (const struct row *row = socket->rows; row; row = row->next) {
		struct pt_record *record = emit(t, PT_CLOSE, tracee, counters, counters ? sizeof(*counters) : 0);

		if (record) {
			record->socket = row->id;
			record->fd = fd;
			record->value = maybe;
		}
	}
}

/* A connection that has ended has no peer any more for the kernel (ENOTCONN); it was with that peer all the same. */
static void keep_peer(const struct pt_socket_info *known, struct pt_socket_info *info)
{
	if (info->type == SOCK_DGRAM || info->peer_length)
		return;
	memcpy(info->peer, known->peer, sizeof(info->peer));
	info->peer_length = known->peer_length;
}

/* Bound, connected, or connected anew. A datagram socket's transfers with another peer are another row. */
void socket_changed(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket,
		    const struct pt_socket_info *seen)
{
	struct pt_socket_info info = *seen;
	bool same_peer;

	keep_peer(&socket->info, &info);
	if (memcmp(&socket->info, &info, sizeof(info)) == 0)
		return;
	same_peer = socket->info.peer_length == info.peer_length &&
		    memcmp(socket->info.peer, info.peer, sizeof(info.peer)) == 0;
	if (!same_peer && info.type == SOCK_DGRAM) {
		tell_closed(t, tracee, socket, fd, false, NULL);
		rows_free(t, socket);
	}
	socket->info = info;
	for (const struct row *row = socket->rows; row; row = row->next)
		tell_row(t, tracee, socket, row, fd, (uint64_t)t->now);
}

uint32_t socket_row(struct pt_tracer *t, struct tracee *tracee, struct socket *socket, int fd, uint64_t time,
		    const uint8_t *peer, uint32_t peer_length)
{
	struct row *row;

	/* The address that a connected socket is connected to may be named, too. */
	if (!socket_takes_addresses(socket) ||
	    (peer_length == socket->info.peer_length && memcmp(peer, socket->info.peer, peer_length) == 0))
		peer_length = 0;
	row = find(t, socket, peer, peer_length);
	if (!row) {
		row = create(t, socket, time, peer, peer_length);
		if (!row)
			return 0;
		row->batch = t->out.batch;
		row->index = t->out.count;
		tell_row(t, tracee, socket, row, fd, time);
	}
	tell_earlier(t, row, time);
	return row->id;
}

static void note_audit(const struct pt_tracer *t, pid_t tid, int fd, const struct socket *socket,
		       const struct pt_tcp_info *counters)
{
	debug(t, PT_DEBUG_AUDIT, tid,
	      (struct pt_debug_entry){.status = fd,
				      .number = counters->bytes_sent,
				      .count = counters->bytes_received,
				      .address = socket->sent,
				      .length = socket->received});
}

/* Reads the kernel's counters of a socket and tells them; told_fd is the fd that the record bears. */
static void read_counters(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket, int told_fd,
			  bool maybe)
{
	struct identity identity;
	struct pt_tcp_info counters = {0};
	bool counted = false;

	/* What another process has counted on it inside of itself is to be in the sums that are compared. */
	if (socket->cached > 1)
		fast_drain(t);
	if (!socket->rows)
		return;
	if (socket->info.inode && identify(tracee->tid, pidfd_get(t, tracee->files, tracee->tid), fd, &identity) == 1 &&
	    identity.info.inode == socket->info.inode) {
		counted = identity.is_tcp;
		if (counted) {
			counters = tcp_counters(&identity.tcp, socket->active, socket->sent, socket->received);
			note_audit(t, tracee->tid, fd, socket, &counters);
		}
		counters.auditable = !socket->existed && !socket->busy &&
				     !fast_fd_busy(t, tracee->files, (unsigned int)fd);
		socket_changed(t, tracee, fd, socket, &identity.info);
	}
	tell_closed(t, tracee, socket, told_fd, maybe, counted ? &counters : NULL);
}

void socket_closing(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket)
{
	read_counters(t, tracee, fd, socket, fd, false);
}

void socket_may_close(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket)
{
	read_counters(t, tracee, fd, socket, fd, true);
}

void socket_left_open(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket)
{
	read_counters(t, tracee, fd, socket, -1, false);
}
