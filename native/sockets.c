/* SPDX-License-Identifier: GPL-2.0-only */
#include "sockets.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "emit.h"
#include "files.h"
#include "identify.h"
#include "proc.h"

/* So many sockets that nothing points to are kept, since another process may hold one of them still and use it later.
 * One that comes back after that gets a new row; the ledger joins it with the old one by its inode. */
#define MAX_IDLE 16384

static struct socket **bucket(struct pt_tracer *t, uint64_t inode)
{
	return &t->sockets[inode & (HASH_SIZE - 1)];
}

static struct socket *find(struct pt_tracer *t, uint64_t inode)
{
	struct socket *socket = *bucket(t, inode);

	while (socket && socket->info.inode != inode)
		socket = socket->next;
	return socket;
}

static struct socket *find_or_create(struct pt_tracer *t, uint64_t inode)
{
	struct socket *socket = find(t, inode);

	if (socket)
		return socket;
	socket = calloc(1, sizeof(*socket));
	if (!socket)
		return NULL;
	socket->info.inode = inode;
	socket->next = *bucket(t, inode);
	*bucket(t, inode) = socket;
	return socket;
}

struct socket *socket_unknown(void)
{
	struct socket *socket = calloc(1, sizeof(*socket));

	if (!socket)
		return NULL;
	socket->info.family = -1;
	socket->identified = true;
	socket->existed = true;
	return socket;
}

static void free_rows(struct socket *socket)
{
	for (struct row *row = socket->rows, *next; row; row = next) {
		next = row->next;
		free(row);
	}
	socket->rows = NULL;
}

static void destroy(struct socket *socket)
{
	free_rows(socket);
	free(socket);
}

static void unlink_from(struct pt_tracer *t, struct socket *socket)
{
	struct socket **at = bucket(t, socket->info.inode);

	while (*at && *at != socket)
		at = &(*at)->next;
	if (*at)
		*at = socket->next;
}

/* Takes the oldest out of the idle list; it is freed if it is still idle in truth. */
static void drop_oldest(struct pt_tracer *t)
{
	struct socket *oldest = t->idle_head;

	t->idle_head = oldest->idle_next;
	if (!t->idle_head)
		t->idle_tail = NULL;
	t->idle_count--;
	oldest->idle = false;
	if (oldest->cached || oldest->busy)
		return; /* it came back to use meanwhile */
	unlink_from(t, oldest);
	destroy(oldest);
}

void socket_put(struct pt_tracer *t, struct socket *socket)
{
	if (socket->cached || socket->busy || socket->idle)
		return;
	socket->idle = true;
	socket->idle_next = NULL;
	if (t->idle_tail)
		t->idle_tail->idle_next = socket;
	else
		t->idle_head = socket;
	t->idle_tail = socket;
	if (++t->idle_count > MAX_IDLE)
		drop_oldest(t);
}

void sockets_destroy(struct pt_tracer *t)
{
	while (t->idle_head)
		drop_oldest(t);
	for (unsigned int i = 0; i < HASH_SIZE; i++) {
		for (struct socket *socket = t->sockets[i], *next; socket; socket = next) {
			next = socket->next;
			destroy(socket);
		}
	}
}

bool socket_takes_addresses(const struct socket *socket)
{
	return socket->info.type == SOCK_DGRAM &&
	       (socket->info.family == AF_INET || socket->info.family == AF_INET6 || socket->info.family == AF_UNIX);
}

static void tell_row(struct pt_tracer *t, struct tracee *tracee, struct socket *socket, const struct row *row, int fd)
{
	struct pt_socket_info info = socket->info;
	struct pt_record *record;

	if (row->peer_length) {
		memcpy(info.peer, row->peer, row->peer_length);
		info.peer_length = row->peer_length;
	}
	record = emit(t, PT_SOCKET, tracee, &info, sizeof(info));
	if (record) {
		record->socket = row->id;
		record->fd = fd;
	}
}

static void tell_closed(struct pt_tracer *t, struct tracee *tracee, const struct socket *socket, int fd,
			const struct pt_tcp_info *counters)
{
	for (const struct row *row = socket->rows; row; row = row->next) {
		struct pt_record *record = emit(t, PT_CLOSE, tracee, counters, counters ? sizeof(*counters) : 0);

		if (record) {
			record->socket = row->id;
			record->fd = fd;
		}
	}
}

/* Bound, connected, or connected anew. A datagram socket's transfers with another peer are another row. */
static void changed(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket,
		    const struct pt_socket_info *info)
{
	bool same_peer = socket->info.peer_length == info->peer_length &&
			 memcmp(socket->info.peer, info->peer, sizeof(info->peer)) == 0;

	if (!same_peer && info->type == SOCK_DGRAM) {
		tell_closed(t, tracee, socket, fd, NULL);
		free_rows(socket);
	}
	socket->info = *info;
	for (const struct row *row = socket->rows; row; row = row->next)
		tell_row(t, tracee, socket, row, fd);
}

int socket_identify(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket **out)
{
	struct identity identity;
	struct socket *socket;
	int found = identify(tracee->tid, files_pidfd(t, tracee), fd, &identity);

	if (found != 1)
		return found;
	socket = find_or_create(t, identity.info.inode);
	if (!socket)
		return -ENOMEM;
	if (!socket->identified) {
		/* A socket that is not new to the kernel (SCM_RIGHTS, inherited) can't be audited either. */
		socket->existed |= !identity.fresh;
		socket->active = identity.active;
		socket->identified = true;
		socket->info = identity.info;
	} else if (memcmp(&socket->info, &identity.info, sizeof(socket->info)) != 0) {
		changed(t, tracee, fd, socket, &identity.info);
	}
	*out = socket;
	return 1;
}

int sockets_existed(struct pt_tracer *t, pid_t pid)
{
	char path[64];
	struct dirent *entry;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	folder = opendir(path);
	if (!folder)
		return -errno;
	while ((entry = readdir(folder))) {
		int64_t inode = entry->d_name[0] == '.' ? 0 : proc_socket_inode(pid, atoi(entry->d_name));
		struct socket *socket = inode > 0 ? find_or_create(t, (uint64_t)inode) : NULL;

		if (socket && !socket->identified)
			socket->existed = true;
	}
	closedir(folder);
	return 0;
}

uint32_t socket_row(struct pt_tracer *t, struct tracee *tracee, struct socket *socket, int fd, const uint8_t *peer,
		    uint32_t peer_length)
{
	struct row **at, *row;

	/* The address that a connected socket is connected to may be named, too. */
	if (!socket_takes_addresses(socket) ||
	    (peer_length == socket->info.peer_length && memcmp(peer, socket->info.peer, peer_length) == 0))
		peer_length = 0;
	for (at = &socket->rows; *at; at = &(*at)->next)
		if ((*at)->peer_length == peer_length && memcmp((*at)->peer, peer, peer_length) == 0)
			break;
	row = *at;
	if (row) {
		/* To the front: the next transfer is likely to be with the same peer. */
		*at = row->next;
	} else {
		row = malloc(sizeof(*row) + peer_length);
		if (!row)
			return 0;
		row->id = ++t->next_row;
		row->peer_length = peer_length;
		if (peer_length)
			memcpy(row->peer, peer, peer_length);
		tell_row(t, tracee, socket, row, fd);
	}
	row->next = socket->rows;
	socket->rows = row;
	return row->id;
}

/* Reads the kernel's counters of a socket and tells them; told_fd is the fd that the record bears. */
static void read_counters(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket, int told_fd)
{
	struct identity identity;
	struct pt_tcp_info counters = {0};
	bool counted = false;

	if (!socket->rows)
		return;
	if (socket->info.inode && identify(tracee->tid, files_pidfd(t, tracee), fd, &identity) == 1 &&
	    identity.info.inode == socket->info.inode) {
		counted = identity.is_tcp;
		if (counted)
			counters = tcp_counters(&identity.tcp, socket->active, socket->sent, socket->received);
		counters.auditable = !socket->existed && !socket->busy;
		if (memcmp(&socket->info, &identity.info, sizeof(socket->info)) != 0)
			changed(t, tracee, fd, socket, &identity.info);
	}
	tell_closed(t, tracee, socket, told_fd, counted ? &counters : NULL);
}

void socket_closing(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket)
{
	read_counters(t, tracee, fd, socket, fd);
}

void socket_left_open(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket)
{
	read_counters(t, tracee, fd, socket, -1);
}
