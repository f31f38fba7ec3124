/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A connect stops twice: how it ends is told. In exchange what its fd names is known then, so that the first transfer
 * need not stop to find out.
 */
#include "calls/connect.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "calls/restart.h"
#include "calls/sandbox.h"
#include "machine/memory.h"
#include "process/tracee.h"
#include "sockets/closing.h"
#include "sockets/connects.h"
#include "sockets/files.h"
#include "sockets/sockets.h"
#include "state/door.h"

static int fd_of(const struct call *call)
{
	return (int)call->args[call->entry->fd];
}

/* Now, for another thread may use the memory for something else before the call returns. */
static void read_peer(struct tracee *tracee)
{
	const struct call *call = &tracee->call;
	struct attempt *attempt = &tracee->call.attempt;
	uint32_t length = (uint32_t)call->args[2];

	if (length > sizeof(attempt->peer))
		length = sizeof(attempt->peer);
	if (memory_read(tracee->tid, call->args[1], attempt->peer, length) == 0)
		attempt->peer_length = length;
}

/* AF_UNSPEC: it is to have no peer any more. */
static bool disconnects(const struct call *call)
{
	uint16_t family = AF_UNSPEC;

	if (call->attempt.peer_length < sizeof(family))
		return false;
	memcpy(&family, call->attempt.peer, sizeof(family));
	return family == AF_UNSPEC;
}

bool connect_enter(struct pt_tracer *t, struct tracee *tracee)
{
	struct call *call = &tracee->call;
	const int fd = fd_of(call);
	struct socket *socket = files_known(t, tracee->files, fd);
	const bool counts = tracee_counts(t, tracee);

	call->attempt.since = t->now;
	read_peer(tracee);
	if (socket && !socket->info.inode)
		return counts; /* known by a question (question.c): nothing that was emitted changes */
	/* A TCP socket loses its connection, and the kernel its counts. */
	if (disconnects(call) && files_lookup(t, tracee, fd, &socket) == 1) {
		socket->existed = true;
		connects_forget(t, socket);
	}
	if (counts)
		socket_note(t, tracee, fd);
	files_closing(t, tracee, (unsigned int)fd, (unsigned int)fd);
	return counts && !disconnects(call);
}

/* In progress, it is looked at once more: on the loopback it has ended by now. If it has not it is not to be closed
 * unseen (fast/). */
static void tell(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket,
		 const struct attempt *attempt, int error)
{
	struct socket *again;

	connects_returned(t, tracee, fd, socket, attempt, error);
	if (error == EINPROGRESS || error == EALREADY)
		socket_identify(t, tracee, fd, &again);
	if (!error || (socket->connecting && socket->connecting->told && !socket->connecting->failed))
		files_note(t, tracee, fd, socket);
	else if (socket->connecting)
		fast_fd_stops(t, tracee->files, (unsigned int)fd);
	socket_put(t, socket);
}

void connect_ended(struct pt_tracer *t, struct tracee *tracee, int fd, const struct attempt *attempt, int64_t result)
{
	struct socket *socket = files_known(t, tracee->files, fd);

	if (result == -EBADF || result == -ENOTSOCK || !tracee_counts(t, tracee))
		return;
	if (!socket && socket_identify(t, tracee, fd, &socket) != 1)
		socket = NULL; /* it may not be looked at, or another thread has closed it */
	if (socket && socket->seen > attempt->since)
		socket->seen = attempt->since;
	if (restart_result(result)) {
		if (socket && socket->info.inode) {
			connects_interrupted(t, socket, attempt);
			fast_fd_stops(t, tracee->files, (unsigned int)fd);
			socket_put(t, socket);
		}
		return;
	}
	if (socket && socket->info.inode)
		tell(t, tracee, fd, socket, attempt, (int)-result);
	else
		connects_returned(t, tracee, fd, NULL, attempt, (int)-result);
}

void connect_exit(struct pt_tracer *t, struct tracee *tracee, int64_t result)
{
	struct attempt *attempt = &tracee->call.attempt;

	attempt->until = t->now;
	closing_settle(tracee); /* the call is over: what the fd names now may be kept */
	if (!sandbox_trapped(tracee, result))
		connect_ended(t, tracee, fd_of(&tracee->call), attempt, result);
}
