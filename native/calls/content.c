/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Read when the call has returned, for only then it is known how much was moved. Of what was sent another thread may
 * have written over it by then.
 */
#include "calls/content.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "machine/memory.h"
#include "process/tracee.h"
#include "records/emit.h"
#include "sockets/rows.h"

#define PARTS 64	   /* of a vector that are read at once */
#define PARTS_MOST 1024	   /* UIO_MAXIOV (linux/uio.h): what says that there are more was changed since the call */
#define MOVED_MOST INT_MAX /* that are told of all messages of a call, each of which may say 4 GiB */

/* What is read grows in t->content, in which there is room for options.content bytes. */
struct piece {
	const struct tracee *tracee;
	uint8_t *bytes;
	size_t length;
	size_t most;
};

int content_create(struct pt_tracer *t)
{
	if (!t->options.content)
		return 0;
	t->options.fast = 0; /* who counts by himself keeps no bytes */
	t->content = malloc(t->options.content);
	return t->content ? 0 : -ENOMEM;
}

void content_destroy(struct pt_tracer *t)
{
	free(t->content);
}

/* False: there is no more to read. */
static bool add(struct piece *p, uint64_t address, uint64_t length)
{
	const size_t room = p->most - p->length;
	const size_t wanted = length < room ? (size_t)length : room;
	const size_t got = wanted ? memory_read_mapped(p->tracee->tid, address, p->bytes + p->length, wanted) : 0;

	p->length += got;
	return got == wanted && p->length < p->most;
}

static void add_vector(struct piece *p, uint64_t address, uint64_t parts)
{
	const size_t size = memory_iovec_size(p->tracee->call.compat), width = size / 2;
	uint8_t vector[PARTS * 2 * sizeof(uint64_t)];

	parts = parts < PARTS_MOST ? parts : PARTS_MOST;
	while (parts) {
		const uint64_t count = parts < PARTS ? parts : PARTS;
		const size_t got = memory_read_mapped(p->tracee->tid, address, vector, count * size) / size;

		for (size_t i = 0; i < got; i++)
			if (!add(p, memory_word(vector + i * size, width),
				 memory_word(vector + i * size + width, width)))
				return;
		if (got < count)
			return;
		address += count * size;
		parts -= count;
	}
}

static void emit_piece(struct pt_tracer *t, struct tracee *tracee, const struct outcome *outcome, uint64_t moved,
		       const struct piece *p)
{
	/* First, for it may be told now; and what is told next may move the records. */
	const struct row *row = socket_row(t, tracee, outcome->socket, outcome->fd, (uint64_t)t->now, outcome->peer,
					   outcome->peer_length);
	struct pt_record *record = emit(t, PT_CONTENT, tracee, p->bytes, p->length);

	if (!record)
		return;
	record->fd = outcome->fd;
	record->socket = row ? row->id : 0;
	record->bytes = moved;
	record->value = outcome->socket->existed;
	record->syscall = syscall_index(outcome->entry);
	record->direction = (uint8_t)outcome->direction;
}

/* TCP throws away what it receives so, and writes nothing. */
static bool thrown_away(const struct call *call, const struct socket *socket)
{
	return call->entry->direction == PT_RECEIVED && call->entry->flags >= 0 &&
	       call->args[call->entry->flags] & MSG_TRUNC && socket->info.type == SOCK_STREAM &&
	       socket->info.family != AF_UNIX;
}

static struct piece begin(const struct pt_tracer *t, const struct tracee *tracee, const struct outcome *outcome,
			  uint64_t moved, uint64_t room)
{
	const bool nothing = thrown_away(&tracee->call, outcome->socket);

	return (struct piece){
		.tracee = tracee,
		.bytes = t->content,
		.most = nothing ? 0 : (size_t)(moved < room ? moved : room),
	};
}

/* Each by itself, with the peer that it names. All of them have the room of one call. */
static void tell_messages(struct pt_tracer *t, struct tracee *tracee, const struct outcome *outcome, uint64_t count)
{
	const struct call *call = &tracee->call;
	const bool addresses = socket_takes_addresses(outcome->socket);
	uint64_t room = t->options.content, left = MOVED_MOST;

	for (unsigned int i = 0; i < count; i++) {
		struct outcome one = *outcome;
		struct message message;
		uint64_t moved;
		struct piece p;

		if (memory_read_mmsghdr(tracee->tid, call->args[1], i, call->compat, &message) < 0)
			return; /* which was said when it was counted */
		if (addresses && message.name)
			outcome_peer_at(t, tracee, message.name, message.name_length, &one);
		moved = message.length < left ? message.length : left;
		p = begin(t, tracee, &one, moved, room);
		add_vector(&p, message.iov, message.iov_length);
		emit_piece(t, tracee, &one, moved, &p);
		room -= p.length;
		left -= moved;
	}
}

static void tell_one(struct pt_tracer *t, struct tracee *tracee, const struct outcome *outcome, uint64_t moved)
{
	const struct call *call = &tracee->call;
	struct piece p = begin(t, tracee, outcome, moved, t->options.content);
	struct message message;

	if (call->entry->rule == RULE_MSG) {
		if (memory_read_msghdr(tracee->tid, call->args[1], call->compat, &message) == 0)
			add_vector(&p, message.iov, message.iov_length);
	} else if (call->entry->vector) {
		add_vector(&p, call->args[1], call->args[2]);
	} else {
		/* MSG_TRUNC: a datagram may be longer than the buffer. */
		add(&p, call->args[1], call->args[2]);
	}
	emit_piece(t, tracee, outcome, moved, &p);
}

/* sendfile(2) and splice(2): what they move is in no memory of the tracee. */
static void tell_lengths(struct pt_tracer *t, struct tracee *tracee, const struct outcome *outcome, uint64_t moved)
{
	const struct call *call = &tracee->call;
	const struct piece nothing = {.bytes = t->content};

	for (int i = 0; i < 2; i++) {
		struct outcome one = *outcome;

		if (!call->socket[i])
			continue;
		one.socket = call->socket[i];
		one.fd = call->fd[i];
		one.direction = i == 0 ? PT_RECEIVED : PT_SENT;
		emit_piece(t, tracee, &one, moved, &nothing);
	}
}

void content_tell(struct pt_tracer *t, struct tracee *tracee, const struct outcome *outcome, int64_t result)
{
	const struct call *call = &tracee->call;

	if (!t->content || call->skipped || result < 0 || outcome->direction == PT_PEEKED)
		return;
	if (call->entry->rule == RULE_MMSG)
		tell_messages(t, tracee, outcome, (uint64_t)result);
	else if (call->entry->rule < RULE_MMSG)
		tell_one(t, tracee, outcome, (uint64_t)result);
	else
		tell_lengths(t, tracee, outcome, (uint64_t)result);
}
