/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Which socket: the one that the fd named when the call was entered. It is looked up then, and kept until the call
 * returns, since another thread may close the fd and get the number anew while this one is blocked.
 */
#include "calls/transfer.h"

#include <errno.h>
#include <sys/socket.h>

#include "calls/content.h"
#include "calls/outcome.h"
#include "calls/payload.h"
#include "calls/question_state.h"
#include "calls/restart.h"
#include "calls/sandbox.h"
#include "process/tracee.h"
#include "records/emit.h"
#include "sockets/files.h"
#include "sockets/rows.h"
#include "sockets/sockets.h"

/* Which arguments are the fds, and what becomes of what it came to. */
static const struct move {
	int8_t source;
	int8_t target; /* -1: there is one fd */
	void (*read_peer)(struct pt_tracer *t, struct tracee *tracee, struct outcome *outcome);
	void (*emit)(struct pt_tracer *t, struct tracee *tracee, struct outcome *outcome, int64_t result);
} moves[] = {
	[RULE_BYTES] = {0, -1, outcome_peer_of_bytes, outcome_emit_one},
	[RULE_MSG] = {0, -1, outcome_peer_of_message, outcome_emit_one},
	[RULE_MMSG] = {0, -1, NULL, outcome_emit_messages},
	[RULE_SENDFILE] = {1, 0, NULL, outcome_emit_both},
	[RULE_SPLICE] = {0, 2, NULL, outcome_emit_both},
};

_Static_assert(sizeof(moves) / sizeof(moves[0]) == RULE_SPLICE + 1, "each rule of a transfer has its row");

/* The MSG_* flags that a receiving call was given; a sending one ignores those that matter here. */
static uint64_t receive_flags(const struct call *call)
{
	return call->entry->flags < 0 || call->entry->direction != PT_RECEIVED ? 0 : call->args[call->entry->flags];
}

void transfer_fds(struct call *call)
{
	const struct move *move = &moves[call->entry->rule];

	call->fd[0] = (int)call->args[move->source];
	call->fd[1] = move->target < 0 ? -1 : (int)call->args[move->target];
}

/* What that fd of its call names can't be known; error says why. True: the call's result will show more. */
static bool cannot_be_known(struct pt_tracer *t, struct tracee *tracee, int fd, int error)
{
	struct call *call = &tracee->call;

	call->unreadable = true;
	tracee->group->hidden |= error == EACCES || error == EPERM;
	if (question_found_closed(tracee, fd)) {
		call->closed = true; /* so it will fail, unless another thread opens one right now */
		return true;
	}
	emit_warning(t, tracee, error == ENOMEM ? PT_REASON_NO_MEMORY : PT_REASON_UNREADABLE, call->entry, error);
	return call->entry->only_sockets; /* if it succeeds the fd is a socket */
}

bool transfer_enter(struct pt_tracer *t, struct tracee *tracee)
{
	struct call *call = &tracee->call;
	bool needed = false;

	/* A message of the error queue has no payload: it is not even a call. Who is dry has no socket, though its
	 * calls may stop for another reason, and it may be one whose fds can't be looked at. */
	if (!tracee_counts(t, tracee) || tracee->group->dry || receive_flags(call) & MSG_ERRQUEUE)
		return false;
	transfer_fds(call);
	for (int i = 0; i < 2; i++) {
		int found = call->fd[i] < 0 ? 0 : files_lookup(t, tracee, call->fd[i], &call->socket[i]);

		if (found == 1) {
			call->socket[i]->busy++;
			needed = true;
		} else if (found < 0) {
			needed |= cannot_be_known(t, tracee, call->fd[i], -found);
		}
	}
	return needed;
}

void transfer_release(struct pt_tracer *t, struct tracee *tracee)
{
	for (int i = 0; i < 2; i++) {
		struct socket *socket = tracee->call.socket[i];

		tracee->call.socket[i] = NULL;
		if (socket) {
			socket->busy--;
			socket_put(t, socket);
		}
	}
}

void transfer_counted(struct pt_tracer *t, struct tracee *tracee, const struct counted *counted)
{
	const struct outcome outcome = {
		.socket = counted->socket,
		.fd = counted->fd,
		.direction = counted->entry->direction,
		.calls = counted->calls,
		.bytes = counted->bytes,
		.error = counted->error,
		.entry = counted->entry,
		.time = counted->time,
		.fast = true,
	};

	outcome_emit(t, tracee, &outcome);
}

/* An unreadable process: if a call that only sockets allow did not fail for that, its fd is a socket. */
static void learn(struct pt_tracer *t, struct tracee *tracee, int64_t result)
{
	struct call *call = &tracee->call;

	if (!call->entry->only_sockets || call->socket[0] || result == -EBADF || result == -ENOTSOCK)
		return;
	call->socket[0] = files_noted(tracee->files, call->fd[0]);
	if (!call->socket[0])
		call->socket[0] = socket_unknown();
	if (!call->socket[0])
		return;
	call->socket[0]->busy++;
	files_note(t, tracee, call->fd[0], call->socket[0]);
}

void transfer_exit(struct pt_tracer *t, struct tracee *tracee, int64_t result)
{
	const struct call *call = &tracee->call;
	const struct move *move = &moves[call->entry->rule];
	struct outcome outcome = {
		.fd = call->fd[0],
		.calls = 1,
		.direction = call->entry->direction,
		.entry = call->entry,
		.time = (uint64_t)t->now,
	};

	if (call->closed && result != -EBADF)
		emit_warning(t, tracee, PT_REASON_UNREADABLE, call->entry, 0);
	if (call->unreadable)
		learn(t, tracee, result);
	outcome.socket = call->socket[0] ? call->socket[0] : call->socket[1];
	if (!outcome.socket)
		return;
	if (receive_flags(call) & MSG_PEEK)
		outcome.direction = PT_PEEKED;
	if (call->skipped && result > 0)
		result = 0; /* whatever the program is told: nothing was moved */
	if (result < 0)
		outcome.error = (int)-result;
	else
		outcome.bytes = (uint64_t)result;
	if (restart_pending(outcome.error)) {
		restart_remember(tracee, outcome.socket, outcome.fd, outcome.direction, (int)-result);
		return;
	}
	if (move->read_peer && socket_takes_addresses(outcome.socket) &&
	    (outcome.direction == PT_SENT || (result >= 0 && !call->skipped)))
		move->read_peer(t, tracee, &outcome);
	move->emit(t, tracee, &outcome, result);
	payload_tell(t, tracee, &outcome, result);
	content_tell(t, tracee, &outcome, result);
}

void transfer_return(struct pt_tracer *t, struct tracee *tracee, int64_t result)
{
	if (!sandbox_trapped(tracee, result) && tracee_counts(t, tracee))
		transfer_exit(t, tracee, result);
}
