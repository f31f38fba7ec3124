/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sockets/sockets.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "machine/pidfd.h"
#include "machine/proc.h"
#include "machine/proc_path.h"
#include "records/debug.h"
#include "sockets/connects.h"
#include "sockets/heed.h"
#include "sockets/identify.h"
#include "sockets/rows.h"

/* So many sockets that nothing points to are kept, since another process may hold one of them still and use it later.
 * One that comes back after that gets a new row; the ledger joins it with the old one by its inode. */
#define MAX_IDLE 16384

static struct socket *find_or_create(struct pt_tracer *t, uint64_t inode)
{
	struct socket *socket = hash_member(hash_find(&t->sockets, inode), struct socket, link);

	if (socket)
		return socket;
	socket = calloc(1, sizeof(*socket));
	if (!socket)
		return NULL;
	socket->info.inode = inode;
	hash_add_growing(&t->sockets, &socket->link, inode);
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

static void destroy(struct pt_tracer *t, struct socket *socket)
{
	rows_free(t, socket);
	connects_forget(t, socket);
	free(socket);
}

/* Takes the oldest out of the idle list; it is freed if it is still idle in truth. */
static void drop_oldest(struct pt_tracer *t)
{
	struct socket *oldest = t->idle.head;

	t->idle.head = oldest->idle_next;
	if (!t->idle.head)
		t->idle.tail = NULL;
	t->idle.count--;
	oldest->idle = false;
	if (oldest->cached || oldest->busy)
		return; /* it came back to use meanwhile */
	hash_remove(&t->sockets, &oldest->link);
	destroy(t, oldest);
}

void socket_put(struct pt_tracer *t, struct socket *socket)
{
	if (socket->cached || socket->busy || socket->idle)
		return;
	socket->idle = true;
	socket->idle_next = NULL;
	if (t->idle.tail)
		t->idle.tail->idle_next = socket;
	else
		t->idle.head = socket;
	t->idle.tail = socket;
	if (++t->idle.count > MAX_IDLE)
		drop_oldest(t);
}

void sockets_destroy(struct pt_tracer *t)
{
	struct hash_walk walk = {.hash = &t->sockets};
	struct socket *socket;

	while (t->idle.head)
		drop_oldest(t);
	while ((socket = hash_member(hash_walk(&walk), struct socket, link)))
		destroy(t, socket);
	hash_free(&t->sockets);
	hash_free(&t->rows);
}

/* Of a socket that is not new the counters tell nothing of who opened it, and an address may be one that it got by
 * sending. */
static bool origin_is_guess(const struct identity *identity)
{
	return identity->is_tcp || identity->info.origin == PT_ORIGIN_BOUND;
}

struct socket *socket_found(struct pt_tracer *t, struct tracee *tracee, int fd, const struct identity *identity)
{
	struct socket *socket = find_or_create(t, identity->info.inode);

	if (!socket)
		return NULL;
	if (!socket->identified) {
		/* A socket that is not new to the kernel (SCM_RIGHTS, inherited) can't be audited either. */
		socket->existed |= !identity->fresh;
		socket->active = identity->active;
		socket->identified = true;
		socket->info = identity->info;
		if (socket->existed && origin_is_guess(identity))
			socket->info.origin = PT_ORIGIN_UNKNOWN;
	} else {
		socket_changed(t, tracee, fd, socket, &identity->info);
	}
	connects_look(t, tracee, fd, socket, identity);
	socket->heeded |= identity->unheeded;
	heed_look(t, socket);
	debug(t, PT_DEBUG_IDENTIFIED, tracee->tid,
	      (struct pt_debug_entry){.status = fd,
				      .number = identity->info.inode,
				      .address = (uint64_t)(int64_t)identity->info.family,
				      .length = (uint64_t)(int64_t)identity->info.type,
				      .count = (uint64_t)(int64_t)identity->info.protocol});
	if (!socket->seen)
		socket->seen = t->now;
	return socket;
}

int socket_identify(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket **out)
{
	struct identity identity;
	struct socket *socket;
	int found = identify(tracee->tid, pidfd_get(t, tracee->files, tracee->tid), fd, &identity);

	if (found != 1)
		return found;
	socket = socket_found(t, tracee, fd, &identity);
	if (!socket)
		return -ENOMEM;
	*out = socket;
	return 1;
}

void socket_note(struct pt_tracer *t, const struct tracee *tracee, int fd)
{
	int64_t inode = t->foreign_proc ? 0 : proc_socket_inode(tracee->tid, fd);
	struct socket *socket = inode > 0 ? find_or_create(t, (uint64_t)inode) : NULL;

	if (!socket)
		return;
	if (!socket->seen)
		socket->seen = t->now;
	socket_put(t, socket);
}

int sockets_existed(struct pt_tracer *t, pid_t pid)
{
	char path[PROC_PATH];
	struct dirent *entry;
	DIR *folder;
	int error = proc_path(path, pid, "fd");

	if (error)
		return error;
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
