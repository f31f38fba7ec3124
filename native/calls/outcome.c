/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "calls/outcome.h"

#include "machine/memory.h"
#include "records/emit.h"
#include "sockets/connects.h"
#include "sockets/life.h"
#include "sockets/rows.h"

/* A program that forges records for some minutes can bring a sum to the end of 64 bits: it stays there, and does not
 * begin anew. */
static void add(uint64_t *sum, uint64_t bytes)
{
	if (__builtin_add_overflow(*sum, bytes, sum))
		*sum = UINT64_MAX;
}

/* A thread may be long in writing its record. If all of that time has been emitted meanwhile, the record bears a later
 * one. */
static uint64_t time_of(const struct pt_tracer *t, const struct tracee *tracee, const struct outcome *outcome)
{
	const uint64_t least = t->out.emitted_until > tracee->transfers.last ? t->out.emitted_until
									     : tracee->transfers.last;

	return outcome->time > least ? outcome->time : least;
}

void outcome_emit(struct pt_tracer *t, struct tracee *tracee, const struct outcome *outcome)
{
	const uint64_t time = time_of(t, tracee, outcome);
	struct row *row = socket_row(t, tracee, outcome->socket, outcome->fd, time, outcome->peer,
				     outcome->peer_length);
	struct pt_record record = {
		.time = time,
		.kind = PT_TRANSFER,
		.tgid = tracee->group->tgid,
		.tid = tracee->tid,
		.calls = outcome->calls,
		.bytes = outcome->bytes,
		.fd = outcome->fd,
		.error = outcome->error,
		.syscall = syscall_index(outcome->entry),
		.direction = (uint8_t)outcome->direction,
		.fast = outcome->fast,
	};

	if (outcome->direction == PT_SENT)
		add(&outcome->socket->sent, outcome->bytes);
	else if (outcome->direction == PT_RECEIVED)
		add(&outcome->socket->received, outcome->bytes);
	life_transfer(t, row, &record);
	if (outcome->error && outcome->socket->connecting)
		connects_transfer_failed(t, tracee, outcome->fd, outcome->socket, outcome->error);
	tracee->transfers.any = true;
	tracee->transfers.last = time;
}

void outcome_peer_at(struct pt_tracer *t, struct tracee *tracee, uint64_t address, uint32_t length,
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
void outcome_peer_of_bytes(struct pt_tracer *t, struct tracee *tracee, struct outcome *outcome)
{
	const struct call *call = &tracee->call;
	uint32_t length = (uint32_t)call->args[5];

	if (call->entry->address < 0 || !call->args[4])
		return;
	if (call->entry->direction == PT_RECEIVED &&
	    memory_read(tracee->tid, call->args[5], &length, sizeof(length)) < 0)
		return;
	outcome_peer_at(t, tracee, call->args[4], length, outcome);
}

void outcome_peer_of_message(struct pt_tracer *t, struct tracee *tracee, struct outcome *outcome)
{
	struct message message;

	if (memory_read_msghdr(tracee->tid, tracee->call.args[1], tracee->call.compat, &message) == 0)
		outcome_peer_at(t, tracee, message.name, message.name_length, outcome);
}

void outcome_emit_one(struct pt_tracer *t, struct tracee *tracee, struct outcome *outcome, int64_t result)
{
	(void)result;
	outcome_emit(t, tracee, outcome);
}

/* A record for each message that names its peer, and one for all others. */
void outcome_emit_messages(struct pt_tracer *t, struct tracee *tracee, struct outcome *rest, int64_t result)
{
	const struct call *call = &tracee->call;
	bool addresses = socket_takes_addresses(rest->socket);

	rest->bytes = 0; /* what the call returns is a number of messages */
	for (unsigned int i = 0; i < result; i++) {
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
		outcome_peer_at(t, tracee, message.name, message.name_length, &one);
		outcome_emit(t, tracee, &one);
		rest->calls = 0; /* the call is counted once */
	}
	if (rest->calls || rest->bytes)
		outcome_emit(t, tracee, rest);
}

void outcome_emit_both(struct pt_tracer *t, struct tracee *tracee, struct outcome *outcome, int64_t result)
{
	const struct call *call = &tracee->call;

	(void)result;
	for (int i = 0; i < 2; i++) {
		if (!call->socket[i])
			continue;
		outcome->socket = call->socket[i];
		outcome->fd = call->fd[i];
		outcome->direction = i == 0 ? PT_RECEIVED : PT_SENT;
		outcome_emit(t, tracee, outcome);
		outcome->calls = 0;
	}
}
