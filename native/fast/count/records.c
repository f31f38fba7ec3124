/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fast/count/records.h"

#include <stdlib.h>
#include <string.h>

#include "calls/transfer.h"
#include "fast/count/distrust.h"
#include "fast/count/explain.h"
#include "fast/count/owner.h"
#include "fast/count/stamp.h"
#include "fast/count/threads.h"
#include "fast/image/layout.h"
#include "process/tracee.h"
#include "records/emit.h"
#include "sockets/closing.h"

#define PROBES 8
#define PENDING_MOST 4096

/* What a call that counts may return, include/linux/fs.h and include/linux/err.h of the kernel. */
#define MAX_RW_COUNT 0x7ffff000
#define MAX_ERRNO 4095

/* Can a stub have written it? Else the program has, and nothing behind this knows what to do with it. */
static bool is_possible(const struct fast_record *record)
{
	unsigned int i = FAST_CLOSES;

	while (i < FAST_CALLS && fast_calls[i] != record->number)
		i++;
	/* While a call is under way nobody is closing its fd. */
	return i < FAST_CALLS && !(record->generation & 1) && record->result >= -MAX_ERRNO &&
	       record->result <= MAX_RW_COUNT;
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
		.generation = record->generation,
		.number = record->number,
		.error = record->result < 0 ? (int)-record->result : 0,
		.thread = record->thread,
		.calls = 1,
		.bytes = record->result > 0 ? (uint64_t)record->result : 0,
	};
}

/* Its socket can't be known yet: a thread is about to close the fd, or has done so since the endings were read, or has
 * connected it since the attempts were. True: it is tried again. */
static bool keep(struct image *image, const struct records_sum *sum, enum miss miss)
{
	struct records_sum *more;

	if (miss == MISS_NONE || (miss == MISS_CLOSED && sum->missed) || image->pending.count == PENDING_MOST)
		return false;
	more = realloc(image->pending.sums, (image->pending.count + 1) * sizeof(*more));
	if (!more)
		return false;
	image->pending.sums = more;
	more[image->pending.count] = *sum;
	more[image->pending.count].unheard |= miss == MISS_UNHEARD;
	more[image->pending.count++].missed = miss == MISS_CLOSED;
	return true;
}

static void warn_unattributed(struct pt_tracer *t, struct tracee *tracee, const struct records_sum *sum)
{
	emit_warning(t, tracee, PT_REASON_UNATTRIBUTED, syscall_find(ABI_NATIVE, sum->number), 0);
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
	enum miss miss;

	if (!tracee || !counted.entry || !tracee_counts(t, tracee))
		return;
	counted.socket = owner_find(t, image, tracee, sum, &miss);
	if (!counted.socket) {
		if (!keep(image, sum, miss))
			warn_unattributed(t, tracee, sum);
		return;
	}
	explain_inside(t, image->group, sum->number, sum->calls);
	transfer_counted(t, tracee, &counted);
}

void records_try(struct pt_tracer *t, struct image *image)
{
	struct records_sum *sums = image->pending.sums;
	const unsigned int count = image->pending.count;

	image->pending.sums = NULL;
	image->pending.count = 0;
	for (unsigned int i = 0; i < count; i++)
		emit_sum(t, image, threads_find(t, image, sums[i].thread), &sums[i], (uint64_t)t->now);
	free(sums);
}

void records_give_up(struct pt_tracer *t, struct image *image)
{
	struct tracee *tracee = tracee_of_group(t, image->group->tgid, NULL);

	for (unsigned int i = 0; tracee && i < image->pending.count; i++)
		warn_unattributed(t, tracee, &image->pending.sums[i]);
	free(image->pending.sums);
	image->pending.sums = NULL;
	image->pending.count = 0;
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
	struct tracee *tracee = threads_find(records->t, records->image, sum->thread);

	/* What it had written before its last stop was read at that. So the call that it stood before then is over. */
	if (tracee && tracee->fast.thread_pointer == sum->thread && tracee->files)
		closing_settle(tracee);
	emit_sum(records->t, records->image, tracee, sum, (uint64_t)records->t->now);
}

static uint64_t key_of(const struct records_sum *sum)
{
	return sum->thread ^ (uint64_t)sum->fd << 40 ^ (uint64_t)sum->generation << 28 ^ (uint64_t)sum->number << 20 ^
	       (uint64_t)(uint32_t)sum->error;
}

static bool alike(const void *sums, uint32_t number, const void *other)
{
	const struct records_sum *sum = (const struct records_sum *)sums + number, *one = other;

	return sum->fd == one->fd && sum->generation == one->generation && sum->number == one->number &&
	       sum->thread == one->thread && sum->error == one->error;
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
		emit_one(t, image, threads_find(t, image, record->thread), record, time_of(t, image, record->tsc));
}

void records_end(struct records *records)
{
	for (unsigned int i = 0; i < records->count; i++)
		end_sum(records, &records->sums[i]);
}
