/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * An fd is looked up once, and what it names is kept until a call that takes it away; but while such a call is under
 * way (closing.c) nothing is kept.
 *
 * Where fds change without any call (files->unsure) each is looked up at each transfer, when the call is entered. What
 * was found is kept all the same, for those that ask for all sockets; nothing is believed of it without a new look.
 */
#include "sockets/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "machine/pidfd.h"
#include "machine/proc.h"
#include "machine/proc_path.h"
#include "records/debug.h"
#include "sockets/closing.h"
#include "sockets/connects.h"
#include "sockets/sockets.h"
#include "state/door.h"

#define MAX_CACHED_FD (1u << 20) /* the kernel's own default limit, fs.nr_open; higher ones are looked up each time */

/* In a table: this fd is open and no socket. */
#define NOT_A_SOCKET ((struct socket *)1)

static bool is_socket(const struct socket *socket)
{
	return socket && socket != NOT_A_SOCKET;
}

int files_join(struct tracee *tracee, struct files *files)
{
	if (!files) {
		files = calloc(1, sizeof(*files));
		if (!files)
			return -ENOMEM;
		files->pidfd = -1;
	}
	files->users++;
	if (tracee->state != TRACEE_EXITING)
		files->live++;
	tracee->files = files;
	return 0;
}

static void drop(struct pt_tracer *t, struct files *files, unsigned int fd)
{
	struct socket *socket = files->sockets[fd];

	files->sockets[fd] = NULL;
	if (is_socket(socket)) {
		socket->cached--;
		socket_put(t, socket);
	}
}

static void forget(struct pt_tracer *t, struct files *files, unsigned int fd)
{
	struct socket *socket = files->sockets[fd];

	if (socket)
		fast_fd_forgotten(t, files, fd, is_socket(socket) ? socket : NULL);
	drop(t, files, fd);
}

void files_leave(struct pt_tracer *t, struct tracee *tracee)
{
	struct files *files = tracee->files;

	tracee->files = NULL;
	if (!files)
		return;
	if (tracee->state != TRACEE_EXITING)
		files->live--;
	/* The pidfd of a thread that is gone is of no use to the others. */
	if (files->pidfd_tid == tracee->tid)
		pidfd_drop(t, files);
	if (--files->users)
		return;
	fast_table_gone(t, files);
	for (unsigned int fd = 0; fd < files->size; fd++)
		drop(t, files, fd);
	pidfd_drop(t, files);
	free(files->sockets);
	free(files);
}

bool files_last(struct tracee *tracee)
{
	return --tracee->files->live == 0;
}

/* A race with other threads: what a number names is not remembered while a close of it may be under way (closing.c),
 * nor at the end of that, and it may have been used. A close of it in a stub is not to pass unseen. */
static void stop_unknown(const struct pt_tracer *t, const struct tracee *tracee)
{
	const struct files *files = tracee->files;
	char path[PROC_PATH];
	struct dirent *entry;
	DIR *folder = proc_path(path, tracee->tid, "fd") < 0 ? NULL : opendir(path);

	while (folder && (entry = readdir(folder))) {
		const unsigned int fd = (unsigned int)atoi(entry->d_name);

		if (entry->d_name[0] != '.' && !(fd < files->size && files->sockets[fd]) &&
		    proc_socket_inode(tracee->tid, (int)fd) > 0)
			fast_fd_stops(t, files, fd);
	}
	if (folder)
		closedir(folder);
}

void files_fill_image(struct pt_tracer *t, const struct tracee *tracee)
{
	struct files *files = tracee->files;

	for (unsigned int fd = 0; fd < files->size; fd++)
		if (files->sockets[fd])
			fast_fd_learnt(t, files, fd, is_socket(files->sockets[fd]) ? files->sockets[fd] : NULL,
				       fast_fd_look(t, files, (int)fd));
	if (files->users > 1)
		stop_unknown(t, tracee);
}

static void copy_doubts(struct files *files, const struct files *of)
{
	files->unsure |= of->unsure & ~(unsigned int)(UNSURE_SHARED | UNSURE_DRY);
}

void files_copied(struct tracee *tracee, const struct files *of)
{
	copy_doubts(tracee->files, of);
}

void files_distrust(struct pt_tracer *t, struct tracee *tracee, enum unsure why)
{
	struct files *files = tracee->files;

	/* The slots forget them, too: so from here on each call on a socket stops, and each close of one. */
	for (unsigned int fd = 0; fd < files->size && !files->unsure; fd++)
		forget(t, files, fd);
	files->unsure |= why;
	fast_fds_forgotten(t, files, 0, UINT32_MAX);
}

void files_dry(struct tracee *tracee)
{
	tracee->files->unsure |= UNSURE_DRY;
}

void files_wet(struct pt_tracer *t, struct tracee *tracee)
{
	struct files *files = tracee->files;

	if (!(files->unsure & UNSURE_DRY))
		return;
	files->unsure &= ~(unsigned int)UNSURE_DRY;
	/* What was found at the last look may have been closed since. */
	for (unsigned int fd = 0; fd < files->size && !files->unsure; fd++)
		forget(t, files, fd);
	fast_fds_forgotten(t, files, 0, UINT32_MAX);
}

int files_replace(struct pt_tracer *t, struct tracee *tracee)
{
	struct files *old = tracee->files;
	int error = files_join(tracee, NULL);
	struct files *own = tracee->files;

	if (error)
		return error;
	tracee->files = old;
	copy_doubts(own, old);
	own->unsure |= old->unsure & UNSURE_DRY;
	if (old->image)
		fast_withdraw(t, tracee, PT_FALLBACK_DESCRIPTORS);
	closing_settle(tracee);
	files_leave(t, tracee);
	tracee->files = own;
	return 0;
}

/* A stub may have closed it: what that has left of it is yet to be read. */
static void forget_closed(struct pt_tracer *t, struct files *files, unsigned int fd)
{
	if (fd >= files->size)
		return;
	if (is_socket(files->sockets[fd]))
		fast_fd_left(t, files, fd, files->sockets[fd]);
	drop(t, files, fd);
}

/* What is known of fd without asking the kernel: NULL, NOT_A_SOCKET or a socket. */
static struct socket *known(struct pt_tracer *t, struct files *files, int fd)
{
	struct socket *socket = fd >= 0 && (unsigned int)fd < files->size ? files->sockets[fd] : NULL;

	if (!socket || files->unsure)
		return NULL;
	switch (fast_fd_still(t, files, (unsigned int)fd, is_socket(socket))) {
	case FAST_CHANGED: /* an fd may have been closed without a stop */
		forget_closed(t, files, (unsigned int)fd);
		return NULL;
	case FAST_GOING: /* who asks has to look for itself */
		return NULL;
	case FAST_SLOW: /* its calls have had to stop until now, and perhaps need not any more */
		fast_fd_learnt(t, files, (unsigned int)fd, socket, fast_fd_look(t, files, fd));
		return socket;
	default:
		return socket;
	}
}

void files_leave_image(struct pt_tracer *t, struct files *files)
{
	for (unsigned int fd = 0; fd < files->size; fd++)
		known(t, files, (int)fd);
}

static bool grow(struct files *files, unsigned int fd)
{
	unsigned int size = files->size ? files->size : 16;
	struct socket **more;

	if (fd < files->size)
		return true;
	while (size <= fd)
		size *= 2;
	more = realloc(files->sockets, size * sizeof(*more));
	if (!more)
		return false;
	memset(more + files->size, 0, (size - files->size) * sizeof(*more));
	files->sockets = more;
	files->size = size;
	return true;
}

static void note_learnt(const struct pt_tracer *t, pid_t tid, unsigned int fd, const struct socket *socket)
{
	debug(t, PT_DEBUG_LEARNT, tid,
	      (struct pt_debug_entry){.status = (int32_t)fd,
				      .number = is_socket(socket) ? socket->info.inode : UINT64_MAX});
}

static bool cache(struct pt_tracer *t, struct tracee *tracee, unsigned int fd, struct socket *socket, uint32_t looked)
{
	struct files *files = tracee->files;

	if (closing_any(files, fd) && is_socket(socket) && !files->unsure)
		fast_fd_stops(t, files, fd);
	if (fd >= MAX_CACHED_FD || closing_any(files, fd) || !grow(files, fd))
		return false;
	if (is_socket(files->sockets[fd]))
		fast_fd_left(t, files, fd, files->sockets[fd]);
	/* The slots may be unable to take it just now (fast/count/slots.c); then it is not remembered here, either. */
	if (!files->unsure && !fast_fd_learnt(t, files, fd, is_socket(socket) ? socket : NULL, looked))
		return false;
	if (is_socket(socket))
		socket->cached++;
	if (files->sockets[fd])
		drop(t, files, fd);
	files->sockets[fd] = socket;
	note_learnt(t, tracee->tid, fd, socket);
	return true;
}

struct socket *files_known(struct pt_tracer *t, struct files *files, int fd)
{
	struct socket *socket = known(t, files, fd);

	return is_socket(socket) ? socket : NULL;
}

int files_lookup(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket **out)
{
	struct socket *cached;
	uint32_t looked;
	int found;

	*out = NULL;
	if (fd < 0)
		return 0;
	cached = known(t, tracee->files, fd);
	if (cached) {
		*out = is_socket(cached) ? cached : NULL;
		return *out != NULL;
	}
	looked = fast_fd_look(t, tracee->files, fd);
	found = socket_identify(t, tracee, fd, out);
	if (found == 1)
		cache(t, tracee, (unsigned int)fd, *out, looked);
	else if (found == 0)
		cache(t, tracee, (unsigned int)fd, NOT_A_SOCKET, looked);
	else if (found == -EBADF)
		forget_closed(t, tracee->files, (unsigned int)fd); /* unseen */
	/* No such fd: nothing to remember, the next open may take the number. */
	return found == -EBADF ? 0 : found;
}

struct socket *files_noted(const struct files *files, int fd)
{
	struct socket *socket = fd >= 0 && (unsigned int)fd < files->size ? files->sockets[fd] : NULL;

	return is_socket(socket) ? socket : NULL;
}

bool files_note(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket)
{
	return cache(t, tracee, (unsigned int)fd, socket ? socket : NOT_A_SOCKET, fast_fd_look(t, tracee->files, fd));
}

void files_found(struct pt_tracer *t, struct files *files, unsigned int fd, struct socket *socket)
{
	if (files->unsure || fd >= MAX_CACHED_FD || !grow(files, fd))
		return;
	socket->cached++;
	drop(t, files, fd);
	files->sockets[fd] = socket;
}

void files_ended(struct pt_tracer *t, struct files *files, unsigned int fd)
{
	if (fd < files->size)
		drop(t, files, fd);
}

void files_closing(struct pt_tracer *t, struct tracee *tracee, unsigned int first, unsigned int last)
{
	struct files *files = tracee->files;

	for (unsigned int fd = first; fd <= last && fd < files->size; fd++)
		forget(t, files, fd);
	debug(t, PT_DEBUG_CLOSING, tracee->tid, (struct pt_debug_entry){.number = first, .count = last});
	closing_begin(tracee, first, last);
}

void files_close(struct pt_tracer *t, struct tracee *tracee, int fd,
		 void (*visit)(struct pt_tracer *, struct tracee *, int fd, struct socket *))
{
	struct socket *socket = known(t, tracee->files, fd);

	/* Others share the table: the fd may have been used while it was "closing" and was not cached. Nor is a socket
	 * while it is being connected. */
	if (!socket && (tracee->files->users > 1 || tracee->files->unsure || t->connecting) &&
	    files_lookup(t, tracee, fd, &socket) != 1)
		socket = NULL;
	if (is_socket(socket)) {
		connects_closing(t, tracee, fd, socket);
		visit(t, tracee, fd, socket);
		socket_put(t, socket);
	}
	if (!known(t, tracee->files, fd) && fd >= 0)
		fast_fd_forgotten(t, tracee->files, (unsigned int)fd, NULL);
	files_closing(t, tracee, (unsigned int)fd, (unsigned int)fd);
}

void files_each(struct pt_tracer *t, struct tracee *tracee, unsigned int first, unsigned int last,
		void (*visit)(struct pt_tracer *, struct tracee *, int fd, struct socket *))
{
	const struct files *files = tracee->files;
	struct socket *socket;

	for (unsigned int fd = first; fd <= last && fd < files->size; fd++) {
		socket = files_noted(files, (int)fd);
		if (socket && files->unsure && files_lookup(t, tracee, (int)fd, &socket) != 1)
			socket = NULL;
		if (socket)
			visit(t, tracee, (int)fd, socket);
	}
}
