/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A record's data grows in a buffer on the stack: the call, then chunk after chunk. Every chunk is cut to what is left.
 */
#include "calls/capture.h"

#include <string.h>

#include "machine/memory.h"
#include "records/emit.h"

#define MOST_STRINGS 64
#define MOST_PARTS 64 /* of an iovec */
#define MOST_MESSAGES 16
#define NAME_SIZE 128	 /* of struct sockaddr_storage */
#define STRING_PART 1024 /* read at once: most strings are shorter */

struct buffer {
	_Alignas(8) uint8_t bytes[CAPTURE_MOST];
	size_t length;
	pid_t tid;
	bool compat;
};

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Room for the bytes of the next chunk, behind its header. */
static size_t room(const struct buffer *b)
{
	size_t used = b->length + sizeof(struct pt_chunk);

	return used < sizeof(b->bytes) ? sizeof(b->bytes) - used : 0;
}

static uint8_t *next_bytes(struct buffer *b)
{
	return b->bytes + b->length + sizeof(struct pt_chunk);
}

/* The next chunk's bytes are there: it gets its header. Returns them, or NULL if there are none. */
static const uint8_t *finish(struct buffer *b, uint64_t address, size_t length)
{
	const struct pt_chunk chunk = {.address = address, .length = length};
	uint8_t *bytes = next_bytes(b);

	if (!length)
		return NULL;
	memcpy(b->bytes + b->length, &chunk, sizeof(chunk));
	b->length += sizeof(chunk) + length;
	/* CAPTURE_MOST and the headers are multiples of 8, so there is room for the padding. */
	while (b->length % 8)
		b->bytes[b->length++] = 0;
	return bytes;
}

/* A chunk of so many bytes, or as many as there are. */
static size_t add(struct buffer *b, uint64_t address, uint64_t length, const uint8_t **bytes)
{
	size_t got;

	if (length > room(b))
		length = room(b);
	got = address && length ? memory_read_mapped(b->tid, address, next_bytes(b), (size_t)length) : 0;
	*bytes = finish(b, address, got);
	return got;
}

static void add_bytes(struct buffer *b, uint64_t address, uint64_t length)
{
	const uint8_t *bytes;

	add(b, address, length, &bytes);
}

static void add_string(struct buffer *b, uint64_t address, size_t most)
{
	size_t length = 0;

	most = least(most, room(b));
	while (address && length < most) {
		/* Up to a page's end: a string may end where the mapping does. */
		size_t part = least(MEMORY_PAGE - (address + length) % MEMORY_PAGE, most - length);
		uint8_t *to = next_bytes(b) + length, *end;

		part = least(part, STRING_PART);
		if (memory_read(b->tid, address + length, to, part) < 0)
			break;
		end = memchr(to, '\0', part);
		length += end ? (size_t)(end - to) + 1 : part;
		if (end)
			break;
	}
	finish(b, address, length);
}

static void add_strings(struct buffer *b, uint64_t address, size_t most)
{
	size_t width = memory_pointer_size(b->compat), count = 0;
	uint8_t pointers[MOST_STRINGS * sizeof(uint64_t)];
	size_t got = address ? memory_read_mapped(b->tid, address, pointers, MOST_STRINGS * width) / width : 0;

	while (count < got && memory_word(pointers + count * width, width))
		count++;
	/* The NULL at its end is kept, unless it was cut. */
	add_bytes(b, address, (count < got ? count + 1 : count) * width);
	for (size_t i = 0; i < count; i++)
		add_string(b, memory_word(pointers + i * width, width), most);
}

/* The vector, and the start of its buffers. */
static void add_vector(struct buffer *b, uint64_t address, uint64_t parts, uint64_t most)
{
	size_t size = memory_iovec_size(b->compat), width = size / 2;
	const uint8_t *vector;
	size_t got = add(b, address, (parts < MOST_PARTS ? parts : MOST_PARTS) * size, &vector) / size;

	for (size_t i = 0; i < got && most; i++) {
		uint64_t base = memory_word(vector + i * size, width);
		uint64_t length = memory_word(vector + i * size + width, width);

		if (length > most)
			length = most;
		add_bytes(b, base, length);
		most -= length;
	}
}

static void add_message_parts(struct buffer *b, const struct message *message, uint64_t most)
{
	add_bytes(b, message->name, least(message->name_length, NAME_SIZE));
	add_vector(b, message->iov, message->iov_length, most);
}

static void add_message(struct buffer *b, uint64_t address, uint64_t most)
{
	struct message message;

	if (!address || memory_read_msghdr(b->tid, address, b->compat, &message) < 0)
		return;
	add_bytes(b, address, memory_msghdr_size(b->compat));
	add_message_parts(b, &message, most);
}

static void add_messages(struct buffer *b, uint64_t address, uint64_t count, uint32_t most, bool at_exit)
{
	struct message message;

	if (count > MOST_MESSAGES)
		count = MOST_MESSAGES;
	add_bytes(b, address, count * memory_mmsghdr_size(b->compat));
	for (unsigned int i = 0; i < count; i++) {
		if (memory_read_mmsghdr(b->tid, address, i, b->compat, &message) < 0)
			return;
		add_message_parts(b, &message, at_exit ? least(message.length, most) : most);
	}
}

static void add_pointed(struct buffer *b, uint64_t address, uint64_t pointer, uint32_t most)
{
	const uint8_t *bytes;
	int32_t length;

	if (add(b, pointer, sizeof(length), &bytes) < sizeof(length))
		return;
	memcpy(&length, bytes, sizeof(length));
	if (length > 0)
		add_bytes(b, address, least((size_t)length, most));
}

static void capture(struct buffer *b, const struct pt_call *call, unsigned int i, const struct pt_capture *what)
{
	uint64_t address = call->args[i], next = i < 5 ? call->args[i + 1] : 0;
	/* What a call has moved, of buffers that may be larger. */
	uint64_t moved = !call->at_exit ? UINT64_MAX : call->result > 0 ? (uint64_t)call->result : 0;
	uint64_t most = what->most < moved ? what->most : moved;

	switch (what->kind) {
	case PT_CAPTURE_STRING:
		return add_string(b, address, what->most);
	case PT_CAPTURE_STRINGS:
		return add_strings(b, address, what->most);
	case PT_CAPTURE_BYTES:
		return add_bytes(b, address, what->most);
	case PT_CAPTURE_SIZED:
		return add_bytes(b, address, next < what->most ? next : what->most);
	case PT_CAPTURE_RESULT:
		return add_bytes(b, address, call->at_exit ? most : 0);
	case PT_CAPTURE_POINTED:
		return add_pointed(b, address, next, what->most);
	case PT_CAPTURE_MSGHDR:
		return add_message(b, address, most);
	case PT_CAPTURE_MMSGHDR:
		return add_messages(b, address, call->at_exit ? moved : (uint32_t)next, what->most, call->at_exit);
	case PT_CAPTURE_IOVEC:
		return add_vector(b, address, next, most);
	default:
		return;
	}
}

struct pt_record *capture_emit(struct pt_tracer *t, enum pt_kind kind, const struct tracee *tracee,
			       const struct pt_call *call, const struct pt_capture captures[6])
{
	struct buffer b;
	struct pt_record *record;

	b.tid = tracee->tid;
	b.compat = call->compat;
	b.length = sizeof(*call);
	memcpy(b.bytes, call, sizeof(*call));
	/* What a failed call leaves behind its pointers is not its doing. */
	for (unsigned int i = 0; i < 6; i++)
		if (call->at_exit ? captures[i].at_exit && call->result >= 0 : captures[i].at_entry)
			capture(&b, call, i, &captures[i]);
	record = emit(t, kind, tracee, b.bytes, b.length);
	if (record)
		record->syscall = call->syscall;
	return record;
}
