/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Records leave in batches, so that Python is entered some times a second and not at every stop.
 */
#include "records/emit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "records/order.h"

#define INDEX_SIZE 1024 /* a power of two */
#define INDEX_PROBES 4

int emit_create(struct pt_tracer *t)
{
	struct out *out = &t->out;

	out->capacity = 2 * BATCH_RECORDS;
	out->data_capacity = 1 << 16;
	out->records = malloc(out->capacity * sizeof(*out->records));
	out->data = malloc(out->data_capacity);
	out->index = (struct hash_index){.size = INDEX_SIZE, .probes = INDEX_PROBES};
	out->index.slots = calloc(INDEX_SIZE, sizeof(*out->index.slots));
	return out->records && out->data && out->index.slots ? 0 : -ENOMEM;
}

void emit_destroy(struct pt_tracer *t)
{
	free(t->out.records);
	free(t->out.data);
	free(t->out.index.slots);
	free(t->out.sorted);
	free(t->out.keys);
	free(t->out.lives);
	free(t->out.steps);
}

void emit_begin(struct pt_tracer *t)
{
	t->out.batch++;
	t->out.count = 0;
	t->out.data_length = 0;
	t->out.life_count = t->out.step_count = t->out.run = 0;
	hash_index_clear(&t->out.index);
}

void emit_continue(struct pt_tracer *t)
{
	if (t->handed_over)
		emit_begin(t);
	t->handed_over = false;
}

bool emit_full(const struct pt_tracer *t)
{
	return t->out.count >= BATCH_RECORDS || t->out.life_count >= BATCH_RECORDS || t->out.data_length >= BATCH_BYTES;
}

/* Room for one more record and its data, or false. */
static bool make_room(struct out *out, size_t length)
{
	if (out->count == out->capacity) {
		void *more = realloc(out->records, 2 * (size_t)out->capacity * sizeof(*out->records));

		if (!more)
			return false;
		out->records = more;
		out->capacity *= 2;
	}
	while (out->data_capacity - out->data_length < length) {
		void *more = realloc(out->data, 2 * (size_t)out->data_capacity);

		if (!more)
			return false;
		out->data = more;
		out->data_capacity *= 2;
	}
	return true;
}

static struct pt_record *append(struct pt_tracer *t, const void *data, size_t length)
{
	struct out *out = &t->out;
	struct pt_record *record;

	/* Records hold offsets into data, and structs are read from it: keep them aligned. */
	if (!make_room(out, length + 8)) {
		out->lost = true;
		return NULL;
	}
	record = &out->records[out->count++];
	memset(record, 0, sizeof(*record));
	record->data_offset = (out->data_length + 7) & ~7u;
	record->data_length = (uint32_t)length;
	if (length)
		memcpy(out->data + record->data_offset, data, length);
	out->data_length = record->data_offset + (uint32_t)length;
	return record;
}

/* What says nothing of sums that transfers are added to. */
static bool is_aside(enum pt_kind kind)
{
	return kind == PT_LIVES || kind == PT_CONNECT || kind == PT_PAYLOAD;
}

struct pt_record *emit(struct pt_tracer *t, enum pt_kind kind, const struct tracee *tracee, const void *data,
		       size_t length)
{
	struct pt_record *record = append(t, data, length);

	/* A transfer after this record must not be added to a record before it: the audit compares totals in this
	 * order. */
	if (!is_aside(kind))
		hash_index_clear(&t->out.index);
	if (kind == PT_SOCKET || kind == PT_CLOSE)
		t->out.run = 0; /* the order of rows, and of closes, is kept */
	if (!record)
		return NULL;
	record->kind = kind;
	record->time = (uint64_t)t->now;
	record->tgid = tracee->group ? tracee->group->tgid : tracee->tid;
	record->tid = tracee->tid;
	record->fd = -1;
	record->syscall = UINT16_MAX;
	return record;
}

static bool alike(const void *records, uint32_t number, const void *other)
{
	const struct pt_record *a = (const struct pt_record *)records + number, *b = other;

	return a->tid == b->tid && a->socket == b->socket && a->syscall == b->syscall && a->error == b->error &&
	       a->direction == b->direction && a->fast == b->fast && a->fd == b->fd && a->kind == b->kind;
}

static uint64_t key_of(const struct pt_record *r)
{
	return ((uint64_t)(uint32_t)r->tid << 32 | r->socket) ^ (uint64_t)r->syscall << 20 ^
	       (uint64_t)r->direction << 28 ^ (uint64_t)(uint32_t)r->error << 12;
}

void emit_transfer(struct pt_tracer *t, const struct pt_record *transfer)
{
	struct out *out = &t->out;
	struct pt_record *record;
	uint32_t *slot = NULL;
	bool found = false;

	if (t->options.aggregate)
		slot = hash_index_find(&out->index, key_of(transfer), alike, out->records, transfer, &found);
	if (found) {
		record = &out->records[*slot - 1];
		record->calls += transfer->calls;
		record->bytes += transfer->bytes;
		return;
	}
	record = append(t, NULL, 0);
	if (!record)
		return;
	*record = *transfer;
	if (slot)
		*slot = out->count;
}

void emit_warning(struct pt_tracer *t, struct tracee *tracee, enum pt_reason reason, const struct syscall_entry *entry,
		  int error)
{
	struct pt_record *record;

	if (tracee->group) {
		if (tracee->group->warned & 1u << reason)
			return;
		tracee->group->warned |= 1u << reason;
	}
	record = emit(t, PT_WARNING, tracee, NULL, 0);
	if (record) {
		record->value = (int32_t)reason;
		record->syscall = syscall_index(entry);
		record->error = error;
	}
}

void emit_end(struct pt_tracer *t, struct pt_batch *batch)
{
	if (!t->options.aggregate && !order_by_time(&t->out))
		t->out.lost = true;
	if (t->out.lost) {
		const struct tracee nobody = {.tid = t->first.pid};
		struct pt_record *record = emit(t, PT_WARNING, &nobody, NULL, 0);

		if (record) {
			record->value = PT_REASON_NO_MEMORY;
			t->out.lost = false;
		}
	}
	t->handed_over = true;
	if (t->out.emitted_until < (uint64_t)t->now)
		t->out.emitted_until = (uint64_t)t->now;
	*batch = (struct pt_batch){
		.records = t->out.records,
		.data = t->out.data,
		.lives = t->out.lives,
		.steps = t->out.steps,
		.count = t->out.count,
		.data_length = t->out.data_length,
		.life_count = t->out.life_count,
		.step_count = t->out.step_count,
		.signal = t->wants.end,
		.reopen = t->wants.reopen,
		.tracees = t->tracee_count,
		.time = t->out.emitted_until,
	};
	t->wants.reopen = false;
}
