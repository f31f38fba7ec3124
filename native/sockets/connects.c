/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How a connect that returned EINPROGRESS ends is told to the program by getsockopt(2) of SO_ERROR, which does not stop
 * (it takes the error away, so it can't be asked for here), by another connect, or by the first transfer. The kernel
 * shows without that whether it is connected, or has failed (TCP_CLOSE), but not why. What was not seen is not told.
 */
#include "sockets/connects.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "records/emit.h"
#include "sockets/rows.h"

/* attempt: NULL: one that is in progress. */
static void tell(struct pt_tracer *t, struct tracee *tracee, int fd, const struct socket *socket,
		 const struct attempt *attempt, enum pt_connected what, int error, int64_t took)
{
	const struct connecting *connecting = socket ? socket->connecting : NULL;
	struct pt_connect data = {.took = (uint64_t)took};
	const uint32_t length = connecting ? connecting->peer_length : attempt->peer_length;
	const uint8_t *peer = connecting ? connecting->peer : attempt->peer;
	struct pt_record *record;
	uint16_t family;

	data.socket.family = -1;
	if (socket)
		data.socket = socket->info;
	memset(data.socket.peer, 0, sizeof(data.socket.peer));
	memcpy(data.socket.peer, peer, length);
	data.socket.peer_length = length;
	if (!socket && length >= sizeof(family)) {
		memcpy(&family, peer, sizeof(family));
		data.socket.family = family;
	}
	record = emit(t, PT_CONNECT, tracee, &data, sizeof(data));
	if (!record)
		return;
	record->fd = fd;
	record->value = (int32_t)what;
	record->error = error;
}

void connects_forget(struct pt_tracer *t, struct socket *socket)
{
	if (socket->connecting && !socket->connecting->told)
		t->connecting--;
	free(socket->connecting);
	socket->connecting = NULL;
}

static void begin(struct pt_tracer *t, struct socket *socket, const struct attempt *attempt, int64_t since,
		  bool returned)
{
	struct connecting *connecting = malloc(sizeof(*connecting));

	connects_forget(t, socket);
	if (!connecting)
		return; /* what becomes of it will not be told */
	*connecting = (struct connecting){.since = since, .returned = returned};
	connecting->peer_length = attempt->peer_length;
	memcpy(connecting->peer, attempt->peer, sizeof(connecting->peer));
	socket->connecting = connecting;
	t->connecting++;
}

static void settle(struct pt_tracer *t, struct socket *socket, bool failed)
{
	if (!socket->connecting->told)
		t->connecting--;
	socket->connecting->told = true;
	socket->connecting->failed = failed;
}

static void established(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket, int64_t took)
{
	tell(t, tracee, fd, socket, NULL, PT_CONNECTED_ESTABLISHED, 0, took);
	settle(t, socket, false);
	socket_connected(t, tracee, fd, socket, (uint64_t)took);
}

/* Another call on one that is in progress, or whose end was not told to the program yet (inet_stream_connect() of
 * net/ipv4/af_inet.c). False: it was a new one. */
static bool returned_again(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket, int error)
{
	const struct connecting *connecting = socket->connecting;

	if (error == EALREADY)
		return true;
	if (error == EINPROGRESS || (error == 0 && connecting->failed))
		return false;
	if (error == 0 || error == EISCONN) {
		if (!connecting->told)
			established(t, tracee, fd, socket, 0);
		return true;
	}
	if (connecting->told && !connecting->failed)
		return false;
	tell(t, tracee, fd, socket, NULL, PT_CONNECTED_FAILED, error, 0);
	connects_forget(t, socket);
	return true;
}

void connects_returned(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket,
		       const struct attempt *attempt, int error)
{
	int64_t since = attempt->since;

	if (socket && socket->connecting) {
		if (socket->connecting->returned && returned_again(t, tracee, fd, socket, error))
			return;
		if (!socket->connecting->returned)
			since = socket->connecting->since;
		connects_forget(t, socket);
	}
	if (error == EALREADY)
		error = EINPROGRESS; /* since a call that a signal has ended, or that was made before ptmon was there */
	tell(t, tracee, fd, socket, attempt, PT_CONNECTED_RETURNED, error, attempt->until - since);
	if (socket && error == EINPROGRESS)
		begin(t, socket, attempt, since, true);
	if (socket && error == 0)
		socket_connected(t, tracee, fd, socket, (uint64_t)(attempt->until - since));
}

void connects_interrupted(struct pt_tracer *t, struct socket *socket, const struct attempt *attempt)
{
	if (!socket->connecting || socket->connecting->told)
		begin(t, socket, attempt, attempt->since, false);
}

void connects_look_behind(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket,
			  const struct identity *identity, const struct attempt *attempt)
{
	const bool closed = identity->is_tcp && tcp_closed(&identity->tcp);
	const struct connecting *connecting = socket->connecting;

	if (!connecting || !connecting->returned || (connecting->told && !connecting->failed))
		return;
	if (identity->info.peer_length || (closed && identity->tcp.answered)) {
		/* At the end of the call itself it is known how long that took. */
		established(t, tracee, fd, socket,
			    attempt->since == connecting->since ? attempt->until - connecting->since : 0);
	} else if (closed && !connecting->told) {
		tell(t, tracee, fd, socket, NULL, PT_CONNECTED_FAILED, 0, 0);
		settle(t, socket, true);
	}
}

void connects_look(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket,
		   const struct identity *identity)
{
	struct attempt *attempt = &tracee->call.attempt;

	attempt->until = t->now;
	connects_look_behind(t, tracee, fd, socket, identity, attempt);
}

/* How a connection that is not made any more is refused, in whichever call that is told. */
static bool ends_connecting(int error)
{
	switch (error) {
	case ECONNREFUSED:
	case ETIMEDOUT:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EHOSTDOWN:
	case ENETDOWN:
	case ECONNRESET:
	case EACCES:
	case EPERM:
		return true;
	default:
		return false;
	}
}

void connects_transfer_failed(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket, int error)
{
	const struct connecting *connecting = socket->connecting;

	if (!connecting || !connecting->returned || !ends_connecting(error) ||
	    (connecting->told && !connecting->failed))
		return;
	tell(t, tracee, fd, socket, NULL, PT_CONNECTED_FAILED, error, 0);
	connects_forget(t, socket);
}

void connects_closing(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket)
{
	if (!socket->connecting || !socket->connecting->returned || socket->connecting->told)
		return;
	/* Another fd may name it still: if it is connected then, that is told, too. */
	tell(t, tracee, fd, socket, NULL, PT_CONNECTED_ABANDONED, 0, 0);
	settle(t, socket, true);
}
