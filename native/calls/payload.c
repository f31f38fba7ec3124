/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Read when the call has returned. Of what was sent another thread may have written over it by then; what is made of it
 * is a name for people, and no more.
 */
#include "calls/payload.h"

#include <stddef.h>
#include <string.h>

#include "machine/memory.h"
#include "process/tracee.h"
#include "records/emit.h"
#include "sockets/files.h"
#include "sockets/heed.h"
#include "sockets/rows.h"
#include "state/door.h"

#define MOST_ALL 16384	/* bytes of one record */
#define MOST_FIRST 4096 /* a ClientHello with a post-quantum key has some 1800 */
#define MOST_PARTS 64	/* of an iovec */
#define MOST_MESSAGES 64

struct buffer {
	struct pt_payload head;
	uint8_t bytes[MOST_ALL];
	size_t length;
	size_t most;
};

static size_t least(uint64_t a, uint64_t b)
{
	return (size_t)(a < b ? a : b);
}

/* False: there is no more to read. */
static bool add(struct buffer *b, pid_t tid, uint64_t address, uint64_t length)
{
	const size_t wanted = least(length, b->most - b->length);
	const size_t got = memory_read_mapped(tid, address, b->bytes + b->length, wanted);

	b->length += got;
	return got == wanted && b->length < b->most;
}

static void add_vector(struct buffer *b, const struct tracee *tracee, uint64_t address, uint64_t parts)
{
	const size_t size = memory_iovec_size(tracee->call.compat), width = size / 2;
	uint8_t vector[MOST_PARTS * 2 * sizeof(uint64_t)];
	const size_t got = memory_read_mapped(tracee->tid, address, vector, least(parts, MOST_PARTS) * size) / size;

	for (size_t i = 0; i < got; i++)
		if (!add(b, tracee->tid, memory_word(vector + i * size, width),
			 memory_word(vector + i * size + width, width)))
			return;
}

static void emit_buffer(struct pt_tracer *t, struct tracee *tracee, const struct outcome *outcome, struct buffer *b)
{
	const struct socket *socket = outcome->socket;
	const bool named = outcome->peer_length;
	/* First, for it may be told now; and what is told next may move the records. */
	const struct row *row = socket_row(t, tracee, outcome->socket, outcome->fd, (uint64_t)t->now, outcome->peer,
					   outcome->peer_length);
	struct pt_record *record;

	b->head.inode = socket->info.inode;
	b->head.family = socket->info.family;
	b->head.type = socket->info.type;
	b->head.peer_length = named ? outcome->peer_length : socket->info.peer_length;
	memcpy(b->head.peer, named ? outcome->peer : socket->info.peer, sizeof(b->head.peer));
	record = emit(t, PT_PAYLOAD, tracee, b, offsetof(struct buffer, bytes) + b->length);
	if (!record)
		return;
	record->fd = outcome->fd;
	record->direction = (uint8_t)outcome->direction;
	record->socket = row ? row->id : 0;
}

static void begin(struct buffer *b, const struct outcome *outcome, uint64_t moved)
{
	b->head = (struct pt_payload){.moved = moved};
	b->length = 0;
	b->most = least(moved, outcome->socket->heed == HEED_ALL ? MOST_ALL : MOST_FIRST);
}

static void emit_messages(struct pt_tracer *t, struct tracee *tracee, const struct outcome *outcome, struct buffer *b,
			  uint64_t count)
{
	const struct call *call = &tracee->call;
	struct message message;

	for (unsigned int i = 0; i < count && i < MOST_MESSAGES; i++) {
		if (memory_read_mmsghdr(tracee->tid, call->args[1], i, call->compat, &message) < 0)
			return;
		begin(b, outcome, message.length);
		add_vector(b, tracee, message.iov, message.iov_length);
		emit_buffer(t, tracee, outcome, b);
	}
}

static void emit_call(struct pt_tracer *t, struct tracee *tracee, const struct outcome *outcome, uint64_t result)
{
	const struct call *call = &tracee->call;
	struct message message;
	struct buffer b;

	if (call->entry->rule == RULE_MMSG) {
		emit_messages(t, tracee, outcome, &b, result);
		return;
	}
	begin(&b, outcome, result);
	if (call->entry->rule == RULE_MSG) {
		if (memory_read_msghdr(tracee->tid, call->args[1], call->compat, &message) < 0)
			return;
		add_vector(&b, tracee, message.iov, message.iov_length);
	} else if (call->entry->vector) {
		add_vector(&b, tracee, call->args[1], call->args[2]);
	} else {
		add(&b, tracee->tid, call->args[1], result);
	}
	emit_buffer(t, tracee, outcome, &b);
}

/* What was to be told of fd is told: its calls need not stop for that any more. */
static void end(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket)
{
	socket->heed = HEED_NOTHING;
	files_known(t, tracee->files, fd); /* which looks whether they have to stop still */
}

static void tell(struct pt_tracer *t, struct tracee *tracee, const struct outcome *outcome, int64_t result)
{
	struct socket *socket = outcome->socket;
	bool tells;

	if (outcome->direction == PT_SENT && heed_peer(t, socket, outcome->peer, outcome->peer_length) &&
	    files_noted(tracee->files, outcome->fd) == socket)
		fast_fd_stops(t, tracee->files, (unsigned int)outcome->fd); /* for the answer's call */
	if (socket->heed == HEED_NOTHING || outcome->direction == PT_PEEKED || result <= 0)
		return;
	/* Where the server speaks first there is no name to be read. */
	tells = (socket->heed == HEED_ALL || outcome->direction == PT_SENT) && heed_tells(t);
	if (tells)
		emit_call(t, tracee, outcome, (uint64_t)result);
	if (!tells || socket->heed == HEED_FIRST)
		end(t, tracee, outcome->fd, socket);
}

void payload_tell(struct pt_tracer *t, struct tracee *tracee, const struct outcome *outcome, int64_t result)
{
	const struct call *call = &tracee->call;

	if (!t->options.names || call->skipped)
		return;
	if (call->entry->rule <= RULE_MMSG) {
		tell(t, tracee, outcome, result);
		return;
	}
	/* sendfile(2) and splice(2): what they move is in no memory of the tracee. */
	for (int i = 0; i < 2; i++)
		if (call->socket[i] && call->socket[i]->heed == HEED_FIRST && result > 0)
			end(t, tracee, call->fd[i], call->socket[i]);
}
