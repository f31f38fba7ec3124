/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The rows of the socket table, as they are emitted: one a socket, and for datagrams one a peer.
 */
#include "sockets/rows.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "machine/pidfd.h"
#include "records/debug.h"
#include "records/emit.h"
#include "sockets/heed.h"
#include "sockets/identify.h"
#include "sockets/life.h"
#include "state/door.h"

/* Of the socket and the peer. A server of datagrams may have thousands of peers on one socket. */
static uint64_t key_of(const struct socket *socket, const uint8_t *peer, uint32_t length)
{
	const uint64_t hash = hash_bytes(hash_bytes(HASH_BEGIN, (const uint8_t *)&socket, sizeof(socket)), peer,
					 length);

	return hash ^ hash >> 32;
}

static bool is_of(const struct row *row, const struct socket *socket, const uint8_t *peer, uint32_t length)
{
	return row->socket == socket && row->peer_length == length && memcmp(row->peer, peer, length) == 0;
}

static struct row *find(struct pt_tracer *t, uint64_t key, const struct socket *socket, const uint8_t *peer,
			uint32_t length)
{
	struct hash_link *link = hash_find(&t->rows, key);

	while (link && !is_of(hash_member(link, struct row, link), socket, peer, length))
		link = hash_find_next(link);
	return hash_member(link, struct row, link);
}

/* A further peer's row begins with the first transfer. */
static uint64_t opened(const struct socket *socket, uint64_t time)
{
	return socket->emitted || !socket->seen || (uint64_t)socket->seen > time ? time : (uint64_t)socket->seen;
}

static struct row *create(struct pt_tracer *t, uint64_t key, struct socket *socket, uint64_t time, const uint8_t *peer,
			  uint32_t length)
{
	struct row *row = malloc(sizeof(*row) + length);

	if (!row)
		return NULL;
	*row = (struct row){.next = socket->rows, .socket = socket, .id = ++t->next_row};
	row->opened = opened(socket, time);
	row->peer_length = length;
	memcpy(row->peer, peer, length);
	socket->emitted = true;
	socket->rows = row;
	hash_add_growing(&t->rows, &row->link, key);
	return row;
}

void rows_free(struct pt_tracer *t, struct socket *socket)
{
	for (struct row *row = socket->rows, *next; row; row = next) {
		next = row->next;
		hash_remove(&t->rows, &row->link);
		free(row);
	}
	socket->rows = NULL;
}

bool socket_takes_addresses(const struct socket *socket)
{
	return socket->info.type == SOCK_DGRAM &&
	       (socket->info.family == AF_INET || socket->info.family == AF_INET6 || socket->info.family == AF_UNIX);
}

static void emit_row(struct pt_tracer *t, struct tracee *tracee, struct row *row, int fd, uint64_t time)
{
	const struct pt_socket_info info = life_info(row);
	struct pt_record *record;

	row->lives = false;
	record = emit(t, PT_SOCKET, tracee, &info, sizeof(info));
	if (record) {
		record->time = time;
		record->socket = row->id;
		record->fd = fd;
	}
}

/* A process may have used a socket before the one with which it was emitted first: their rings are read one by one. */
static void move_earlier(struct pt_tracer *t, const struct row *row, uint64_t time)
{
	if (!t->options.lives && row->batch == t->out.batch && row->index < t->out.count &&
	    t->out.records[row->index].time > time)
		t->out.records[row->index].time = time;
}

static void emit_closed(struct pt_tracer *t, struct tracee *tracee, const struct socket *socket, int fd, bool maybe,
			const struct pt_tcp_info *counters)
{
	for (struct row *row = socket->rows; row; row = row->next) {
		struct pt_record *record;

		row->closed = true;
		if (fd >= 0 && !maybe && life_end(t, tracee, row, counters))
			continue;
		row->lives = false;
		record = emit(t, PT_CLOSE, tracee, counters, counters ? sizeof(*counters) : 0);
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

/* How it came by its ends is what the first look showed: later a socket without an address may have got one by sending
 * (a first look is at the entry of a call, so it shows what bind(2) has done), and the kernel's counters are not empty.
 */
static void keep_origin(const struct socket *socket, struct pt_socket_info *info)
{
	const struct pt_socket_info *known = &socket->info;
	const bool lost_peer = known->peer_length && !info->peer_length;

	info->connect = known->connect;
	if (known->origin >= PT_ORIGIN_CONNECTED && known->origin != PT_ORIGIN_BOUND && !lost_peer)
		info->origin = known->origin;
	else if (lost_peer)
		info->origin = PT_ORIGIN_UNKNOWN;
	else if (info->peer_length && socket->active)
		info->origin = PT_ORIGIN_CONNECTED;
	else if (!info->peer_length)
		info->origin = known->origin;
}

/* Bound, connected, or connected anew. A datagram socket's transfers with another peer are another row. */
void socket_changed(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket,
		    const struct pt_socket_info *seen)
{
	struct pt_socket_info info = *seen;
	bool same_peer;

	keep_peer(&socket->info, &info);
	keep_origin(socket, &info);
	if (memcmp(&socket->info, &info, sizeof(info)) == 0)
		return;
	same_peer = socket->info.peer_length == info.peer_length &&
		    memcmp(socket->info.peer, info.peer, sizeof(info.peer)) == 0;
	if (!same_peer && info.type == SOCK_DGRAM) {
		emit_closed(t, tracee, socket, fd, false, NULL);
		rows_free(t, socket);
	}
	socket->info = info;
	for (struct row *row = socket->rows; row; row = row->next)
		emit_row(t, tracee, row, fd, (uint64_t)t->now);
}

void socket_connected(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket, uint64_t took)
{
	if (socket->info.type == SOCK_DGRAM)
		took = 0; /* there is nobody to wait for */
	if (socket->info.origin == PT_ORIGIN_CONNECTED && socket->info.connect == took)
		return;
	socket->info.origin = PT_ORIGIN_CONNECTED;
	socket->info.connect = took;
	heed_look(t, socket);
	for (struct row *row = socket->rows; row; row = row->next)
		emit_row(t, tracee, row, fd, (uint64_t)t->now);
}

struct row *socket_row(struct pt_tracer *t, struct tracee *tracee, struct socket *socket, int fd, uint64_t time,
		       const uint8_t *peer, uint32_t peer_length)
{
	struct row *row;
	uint64_t key;

	/* A call on a connected socket may name the very address that it is connected to: that is the socket's own row.
	 */
	if (!socket_takes_addresses(socket) ||
	    (peer_length == socket->info.peer_length && memcmp(peer, socket->info.peer, peer_length) == 0))
		peer_length = 0;
	key = key_of(socket, peer, peer_length);
	row = find(t, key, socket, peer, peer_length);
	if (!row) {
		row = create(t, key, socket, time, peer, peer_length);
		if (!row)
			return NULL;
		row->batch = t->out.batch;
		row->lives = life_begin(t, tracee, row);
		if (!row->lives) {
			row->index = t->out.count;
			emit_row(t, tracee, row, fd, time);
		}
	}
	move_earlier(t, row, time);
	return row;
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

/* A process that closed it in a stub (fast/) may be read after another one that has closed it later. */
static void keep_latest(struct socket *socket, struct pt_tcp_info *counters)
{
	if (counters->bytes_sent < socket->told.bytes_sent || counters->bytes_received < socket->told.bytes_received)
		*counters = socket->told;
	socket->told = *counters;
}

/* Emits what the kernel says of a socket. busy: a call on the fd is under way. */
static void tell_counters(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket,
			  const struct identity *identity, bool busy, struct pt_tcp_info *counters)
{
	if (identity->is_tcp) {
		*counters = tcp_counters(&identity->tcp, socket->active, socket->sent, socket->received);
		note_audit(t, tracee->tid, fd, socket, counters);
	}
	counters->auditable = !socket->existed && !socket->busy && !busy;
	socket_changed(t, tracee, fd, socket, &identity->info);
}

/* Reads the kernel's counters of a socket and emits them; record_fd is the fd that the record bears. */
static void read_counters(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket, int record_fd,
			  bool maybe)
{
	struct identity identity;
	struct pt_tcp_info counters = {0};
	bool counted = false;

	/* Another process may have counted calls on it in its own stubs: they are read first, for the sums are
	 * compared. */
	if (socket->cached > 1)
		fast_drain(t);
	if (!socket->rows)
		return;
	if (socket->info.inode && identify(tracee->tid, pidfd_get(t, tracee->files, tracee->tid), fd, &identity) == 1 &&
	    identity.info.inode == socket->info.inode) {
		counted = identity.is_tcp;
		tell_counters(t, tracee, fd, socket, &identity, fast_fd_busy(t, tracee->files, (unsigned int)fd),
			      &counters);
		if (counted)
			socket->told = counters;
	}
	emit_closed(t, tracee, socket, record_fd, maybe, counted ? &counters : NULL);
}

void socket_ended(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket,
		  const struct identity *identity)
{
	struct pt_tcp_info counters = {0};

	if (!socket->rows)
		return;
	tell_counters(t, tracee, fd, socket, identity, false, &counters);
	if (identity->is_tcp)
		keep_latest(socket, &counters);
	emit_closed(t, tracee, socket, fd, false, identity->is_tcp ? &counters : NULL);
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
