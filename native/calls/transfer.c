/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Which socket: the one that the fd named when the call was entered. It is looked up then, and kept until the call
 * returns, since another thread may close the fd and get the number anew while this one is blocked.
 */
#include "calls/transfer.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "calls/question_state.h"
#include "calls/restart.h"
#include "machine/memory.h"
#include "records/emit.h"
#include "sockets/files.h"
#include "sockets/rows.h"
#include "sockets/sockets.h"

#define ADDRESS_SIZE 128 /* of struct sockaddr_storage */

/* What a call on one socket came to. */
struct outcome {
	struct socket *socket;
	int fd;
	enum pt_direction direction;
	uint64_t calls;
	uint64_t bytes;
	int error;
	const struct syscall_entry *entry;
	uint64_t time; /* ns */
	bool fast;
	uint8_t peer[ADDRESS_SIZE];
	uint32_t peer_length;
};

/* The MSG_* flags that a receiving call was given; a sending one ignores those that matter here. */
static uint64_t receive_flags(const struct call *call)
{
	return call->entry->flags < 0 || call->entry->direction != PT_RECEIVED ? 0 : call->args[call->entry->flags];
}

void transfer_fds(struct call *call)
{
	call->fd[0] = (int)call->args[0];
	call->fd[1] = -1;
	if (call->entry->rule == RULE_SENDFILE) {
		call->fd[0] = (int)call->args[1];
		call->fd[1] = (int)call->args[0];
	} else if (call->entry->rule == RULE_SPLICE) {
		call->fd[1] = (int)call->args[2];
	}
}

/* What that fd of its call names can't be known, error says why. True: the call's end will show more. */
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

	if (receive_flags(call) & MSG_ERRQUEUE)
		return false; /* no payload: it is not even a call */
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

/* Who forges records for some minutes can reach the end of 64 bits: no sum of his is to look small for it. */
static void add(uint64_t *sum, uint64_t bytes)
{
	if (__builtin_add_overflow(*sum, bytes, sum))
		*sum = UINT64_MAX;
}

/* A record that its thread was long in writing bears a time of which all has been emitted already. */
static uint64_t time_of(const struct pt_tracer *t, const struct tracee *tracee, const struct outcome *outcome)
{
	const uint64_t least = t->out.emitted_until > tracee->transfers.last ? t->out.emitted_until
									     : tracee->transfers.last;

	return outcome->time > least ? outcome->time : least;
}

static void emit_outcome(struct pt_tracer *t, struct tracee *tracee, const struct outcome *outcome)
{
	const uint64_t time = time_of(t, tracee, outcome);
	const struct pt_record record = {
		.time = time,
		.kind = PT_TRANSFER,
		.tgid = tracee->group->tgid,
		.tid = tracee->tid,
		.calls = outcome->calls,
		.bytes = outcome->bytes,
		.fd = outcome->fd,
		.socket = socket_row(t, tracee, outcome->socket, outcome->fd, time, outcome->peer,
				     outcome->peer_length),
		.error = outcome->error,
		.syscall = syscall_index(outcome->entry),
		.direction = (uint8_t)outcome->direction,
		.fast = outcome->fast,
	};

	if (outcome->direction == PT_SENT)
		add(&outcome->socket->sent, outcome->bytes);
	else if (outcome->direction == PT_RECEIVED)
		add(&outcome->socket->received, outcome->bytes);
	emit_transfer(t, &record);
	tracee->transfers.any = true;
	tracee->transfers.last = time;
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

	emit_outcome(t, tracee, &outcome);
}

static void read_peer(struct pt_tracer *t, struct tracee *tracee, uint64_t address, uint32_t length,
		      struct outcome *outcome)
{
	int error;

	if (!address || !length)
		return;
	if (length > ADDRESS_SIZE)
		length = ADDRESS_SIZE;
	error = memory_read(tracee->tid, address, outcome->peer, length);
	if (error)
		emit_warning(t, tracee, PT_REASON_UNREADABLE, tracee->call.entry, -error);
	else
		outcome->peer_length = length;
}

/* sendto's sixth argument is the address's length, recvfrom's points to it. */
static void peer_of_bytes(struct pt_tracer *t, struct tracee *tracee, struct outcome *outcome)
{
	const struct call *call = &tracee->call;
	uint32_t length = (uint32_t)call->args[5];

	if (call->entry->address < 0 || !call->args[4])
		return;
	if (call->entry->direction == PT_RECEIVED &&
	    memory_read(tracee->tid, call->args[5], &length, sizeof(length)) < 0)
		return;
	read_peer(t, tracee, call->args[4], length, outcome);
}

static void peer_of_message(struct pt_tracer *t, struct tracee *tracee, struct outcome *outcome)
{
	struct message message;

	if (memory_read_msghdr(tracee->tid, tracee->call.args[1], tracee->call.compat, &message) == 0)
		read_peer(t, tracee, message.name, message.name_length, outcome);
}

/* A record for each message that names its peer, and one for all others. */
static void messages_exit(struct pt_tracer *t, struct tracee *tracee, unsigned int count, struct outcome *rest)
{
	const struct call *call = &tracee->call;
	bool addresses = socket_takes_addresses(rest->socket);

	for (unsigned int i = 0; i < count; i++) {
		struct outcome one = *rest;
		struct message message;
		int error = memory_read_mmsghdr(tracee->tid, call->args[1], i, call->compat, &message);

		if (error) {
			emit_warning(t, tracee, PT_REASON_UNREADABLE, call->entry, -error);
			break;
		}
		if (!addresses || !message.name) {
			rest->bytes += message.length;
			continue;
		}
		one.bytes = message.length;
		read_peer(t, tracee, message.name, message.name_length, &one);
		emit_outcome(t, tracee, &one);
		rest->calls = 0; /* the call is counted once */
	}
	if (rest->calls || rest->bytes)
		emit_outcome(t, tracee, rest);
}

/* splice and sendfile may read one socket and write another: both get a record, the call is counted once. */
static void both_exit(struct pt_tracer *t, struct tracee *tracee, struct outcome *outcome)
{
	const struct call *call = &tracee->call;

	for (int i = 0; i < 2; i++) {
		if (!call->socket[i])
			continue;
		outcome->socket = call->socket[i];
		outcome->fd = call->fd[i];
		outcome->direction = i == 0 ? PT_RECEIVED : PT_SENT;
		emit_outcome(t, tracee, outcome);
		outcome->calls = 0;
	}
}

/* An unreadable process: an fd on which a socket's call did anything but fail for not being one is a socket. */
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
	else if (call->entry->rule != RULE_MMSG)
		outcome.bytes = (uint64_t)result;
	if (restart_pending(outcome.error)) {
		restart_remember(tracee, outcome.socket, outcome.fd, outcome.direction, (int)-result);
		return;
	}
	if (socket_takes_addresses(outcome.socket) &&
	    (outcome.direction == PT_SENT || (result >= 0 && !call->skipped))) {
		if (call->entry->rule == RULE_BYTES)
			peer_of_bytes(t, tracee, &outcome);
		else if (call->entry->rule == RULE_MSG)
			peer_of_message(t, tracee, &outcome);
	}
	if (call->entry->rule == RULE_MMSG && result > 0)
		messages_exit(t, tracee, (unsigned int)result, &outcome);
	else if (call->entry->rule == RULE_SENDFILE || call->entry->rule == RULE_SPLICE)
		both_exit(t, tracee, &outcome);
	else
		emit_outcome(t, tracee, &outcome);
}
