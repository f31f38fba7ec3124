/* SPDX-License-Identifier: GPL-2.0-only */
#include "fast/count/records.h"

#include <string.h>

#include "calls/transfer.h"
#include "fast/count/distrust.h"
#include "fast/count/explain.h"
#include "fast/count/slots.h"
#include "fast/count/stamp.h"
#include "fast/image/layout.h"
#include "process/tracee.h"
#include "records/emit.h"
#include "sockets/files.h"

#define PROBES 8

/* What a call that counts may return, include/linux/fs.h and include/linux/err.h of the kernel. */
#define MAX_RW_COUNT 0x7ffff000
#define MAX_ERRNO 4095

/* Can a stub have written it? Else the program has, and nothing behind this knows what to do with it. */
static bool is_possible(const struct fast_record *record)
{
	unsigned int i = FAST_CLOSES;

	while (i < FAST_CALLS && fast_calls[i] != record->number)
		i++;
	return i < FAST_CALLS && record->fd < FAST_FDS && record->result >= -MAX_ERRNO &&
	       record->result <= MAX_RW_COUNT;
}

/* Whose record it becomes where no thread has this pointer: it was born just now, or its program gives it pointers of
 * its own (a fiber's). The leader, which is the right one where there is no other; not any that happens to be the
 * first. */
static struct tracee *someone(struct pt_tracer *t, const struct image *image)
{
	struct tracee *leader = tracee_find(t, image->group->tgid);

	return leader && leader->group == image->group ? leader : tracee_find(t, image->reader);
}

static struct tracee *thread_of(struct pt_tracer *t, struct image *image, uint64_t pointer)
{
	struct fast_thread *threads = image->threads;

	for (unsigned int i = 0; i < image->thread_count; i++) {
		if (threads[i].pointer == pointer) {
			/* A thread that has just written one is likely to write the next. */
			struct fast_thread found = threads[i];

			threads[i] = threads[i / 2];
			threads[i / 2] = found;
			return found.tracee;
		}
	}
	return someone(t, image);
}

/* CLOCK_MONOTONIC. */
static uint64_t time_of(const struct pt_tracer *t, const struct image *image, uint64_t tsc)
{
	return image->flags & FAST_TIMED ? stamp_time(t, tsc) : (uint64_t)t->now;
}

static struct records_sum sum_of(const struct fast_record *record)
{
	return (struct records_sum){
		.fd = record->fd,
		.number = record->number,
		.error = record->result < 0 ? (int)-record->result : 0,
		.thread = record->thread,
		.calls = 1,
		.bytes = record->result > 0 ? (uint64_t)record->result : 0,
	};
}

static void emit_sum(struct pt_tracer *t, struct image *image, struct tracee *tracee, const struct records_sum *sum,
		     uint64_t time)
{
	struct counted counted = {
		.entry = syscall_find(ABI_NATIVE, sum->number),
		.fd = (int)sum->fd,
		.error = sum->error,
		.calls = sum->calls,
		.bytes = sum->bytes,
		.time = time,
	};

	if (!tracee || !counted.entry || !tracee_counts(t, tracee))
		return;
	counted.socket = slots_fading(image, sum->fd);
	if (!counted.socket && files_lookup(t, tracee, counted.fd, &counted.socket) != 1) {
		/* It was a socket when the call was made, or the stub had made no record: this is not to happen. */
		emit_warning(t, tracee, PT_REASON_UNATTRIBUTED, counted.entry, 0);
		return;
	}
	explain_inside(t, image->group, sum->number, sum->calls);
	transfer_counted(t, tracee, &counted);
}

static void emit_one(struct pt_tracer *t, struct image *image, struct tracee *tracee, const struct fast_record *record,
		     uint64_t time)
{
	const struct records_sum sum = sum_of(record);

	emit_sum(t, image, tracee, &sum, time);
}

void records_emit_one(struct pt_tracer *t, struct image *image, struct tracee *tracee, const struct fast_record *record,
		      uint64_t time)
{
	if (is_possible(record))
		emit_one(t, image, tracee, record, time);
	else
		distrust(t, image);
}

static void end_sum(const struct records *records, const struct records_sum *sum)
{
	emit_sum(records->t, records->image, thread_of(records->t, records->image, sum->thread), sum,
		 (uint64_t)records->t->now);
}

static uint64_t key_of(const struct records_sum *sum)
{
	return sum->thread ^ (uint64_t)sum->fd << 40 ^ (uint64_t)sum->number << 20 ^ (uint64_t)(uint32_t)sum->error;
}

static bool alike(const void *sums, uint32_t number, const void *other)
{
	const struct records_sum *sum = (const struct records_sum *)sums + number, *one = other;

	return sum->fd == one->fd && sum->number == one->number && sum->thread == one->thread &&
	       sum->error == one->error;
}

static void add(struct records *records, const struct fast_record *record)
{
	const struct hash_index index = {.size = RECORDS_SUMS, .probes = PROBES, .slots = records->slots};
	const struct records_sum one = sum_of(record);
	bool found;
	uint32_t *slot = hash_index_find(&index, key_of(&one), alike, records->sums, &one, &found);
	struct records_sum *sum;

	if (!*slot) {
		records->sums[records->count++] = one;
		*slot = records->count;
		return;
	}
	sum = &records->sums[*slot - 1];
	if (found) {
		sum->calls++;
		sum->bytes += one.bytes;
		return;
	}
	end_sum(records, sum); /* in the place of another */
	*sum = one;
}

void records_begin(struct records *records, struct pt_tracer *t, struct image *image)
{
	records->t = t;
	records->image = image;
	records->count = 0;
	memset(records->slots, 0, sizeof(records->slots));
}

void records_emit(struct records *records, const struct fast_record *record)
{
	struct pt_tracer *t = records->t;
	struct image *image = records->image;

	if (record->number == FAST_NUMBER_VOID)
		return;
	if (!is_possible(record))
		distrust(t, image);
	else if (t->options.aggregate)
		add(records, record);
	else
		emit_one(t, image, thread_of(t, image, record->thread), record, time_of(t, image, record->tsc));
}

void records_end(struct records *records)
{
	for (unsigned int i = 0; i < records->count; i++)
		end_sum(records, &records->sums[i]);
}
