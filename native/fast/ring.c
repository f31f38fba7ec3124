/* SPDX-License-Identifier: GPL-2.0-only
 *
 * A record is whole when its last word bears the round of the ring that its number belongs to (stub.S). Reading ends at
 * the first that is not: its thread is about to write it, or has died half-way.
 */
#include "fast/ring.h"

#include <x86intrin.h>

#include "call.h"
#include "fast/layout.h"
#include "fast/slots.h"
#include "files.h"
#include "transfer.h"

#define CHUNK 1024 /* records that are read at a time */
#define SUMS 64

uint64_t ring_place(uint64_t index)
{
	return FAST_RING + ((index & (FAST_RING_RECORDS - 1)) << FAST_RECORD_BITS);
}

static bool is_whole(const struct fast_record *record, uint64_t index)
{
	return record->round == (uint16_t)(index >> FAST_RING_BITS);
}

static struct tracee *thread_of(struct image *image, uint64_t pointer)
{
	struct fast_thread *threads = image->threads;

	for (unsigned int i = 0; i < image->thread_count; i++) {
		if (threads[i].pointer == pointer) {
			/* Who has just written writes again. */
			struct fast_thread found = threads[i];

			threads[i] = threads[i / 2];
			threads[i / 2] = found;
			return found.tracee;
		}
	}
	return image->thread_count ? threads[0].tracee : NULL;
}

/* CLOCK_MONOTONIC of a time stamp: it lies between the last drain and this one. */
static uint64_t time_of(const struct pt_tracer *t, const struct image *image, uint64_t tsc, uint64_t tsc_now)
{
	double share;

	if (!(image->flags & FAST_TIMED) || tsc <= image->last_tsc || tsc >= tsc_now)
		return (uint64_t)t->now;
	share = (double)(tsc - image->last_tsc) / (double)(tsc_now - image->last_tsc);
	return (uint64_t)(image->last_time + (int64_t)(share * (double)(t->now - image->last_time)));
}

/* Calls of one thread that are told together. */
struct sum {
	uint32_t fd;
	uint16_t number;
	int error;
	uint64_t thread;
	uint64_t calls; /* 0: none */
	uint64_t bytes;
};

static struct sum sum_of(const struct fast_record *record)
{
	return (struct sum){
		.fd = record->fd,
		.number = record->number,
		.error = record->result < 0 ? (int)-record->result : 0,
		.thread = record->thread,
		.calls = 1,
		.bytes = record->result > 0 ? (uint64_t)record->result : 0,
	};
}

static void tell(struct pt_tracer *t, struct image *image, struct tracee *tracee, const struct sum *sum, uint64_t time)
{
	struct counted counted = {
		.entry = syscall_find(ABI_NATIVE, sum->number),
		.fd = (int)sum->fd,
		.error = sum->error,
		.calls = sum->calls,
		.bytes = sum->bytes,
		.time = time,
	};

	if (sum->number == FAST_NUMBER_VOID || !tracee || !counted.entry || !call_counts(t, tracee))
		return;
	counted.socket = slots_fading(image, sum->fd);
	if (!counted.socket && files_lookup(t, tracee, counted.fd, &counted.socket) != 1)
		return;
	transfer_counted(t, tracee, &counted);
}

void ring_tell(struct pt_tracer *t, struct image *image, struct tracee *tracee, const struct fast_record *record,
	       uint64_t time)
{
	const struct sum sum = sum_of(record);

	tell(t, image, tracee, &sum, time);
}

/* A drain may keep the thread that has filled the ring waiting, so what is done for each record has to be little: where
 * nobody wants single calls, equal ones are summed up here. */
struct sums {
	struct sum rows[SUMS];
};

static void end_sum(struct pt_tracer *t, struct image *image, struct sum *sum)
{
	if (sum->calls)
		tell(t, image, thread_of(image, sum->thread), sum, (uint64_t)t->now);
	sum->calls = 0;
}

static void add(struct pt_tracer *t, struct image *image, struct sums *sums, const struct fast_record *record)
{
	const struct sum one = sum_of(record);
	struct sum *sum = &sums->rows[(one.fd * 4 + one.number + (one.thread >> 12) + (uint32_t)one.error) % SUMS];

	if (sum->calls && sum->fd == one.fd && sum->number == one.number && sum->thread == one.thread &&
	    sum->error == one.error) {
		sum->calls++;
		sum->bytes += one.bytes;
		return;
	}
	end_sum(t, image, sum);
	*sum = one;
}

static bool read_chunk(const struct image *image, struct fast_record *records, uint64_t count)
{
	uint64_t first = image->tail & (FAST_RING_RECORDS - 1);
	uint64_t part = FAST_RING_RECORDS - first < count ? FAST_RING_RECORDS - first : count;

	if (image_read(image, ring_place(image->tail), records, part * sizeof(*records)) < 0)
		return false;
	return part == count || image_read(image, FAST_RING, records + part, (count - part) * sizeof(*records)) == 0;
}

/* One chunk. False: the next record is not whole. */
static bool take(struct pt_tracer *t, struct image *image, struct sums *sums, uint64_t count, uint64_t tsc_now)
{
	struct fast_record records[CHUNK];

	if (!read_chunk(image, records, count))
		return false;
	for (uint64_t i = 0; i < count; i++, image->tail++) {
		const struct fast_record *record = &records[i];

		if (!is_whole(record, image->tail))
			return false;
		if (t->options.aggregate)
			add(t, image, sums, record);
		else
			ring_tell(t, image, thread_of(image, record->thread), record,
				  time_of(t, image, record->tsc, tsc_now));
	}
	return true;
}

void ring_drain(struct pt_tracer *t, struct image *image)
{
	uint64_t head, begin = image->tail, tsc_now;
	struct sums sums;

	if (image->draining || image_read(image, FAST_HEAD, &head, sizeof(head)) < 0)
		return;
	image->draining = true; /* a look-up on the way may want what a drain gives (fast_learn) */
	tsc_now = __rdtsc();
	for (unsigned int i = 0; i < SUMS; i++)
		sums.rows[i].calls = 0;
	while (image->tail < head &&
	       take(t, image, &sums, head - image->tail < CHUNK ? head - image->tail : CHUNK, tsc_now))
		;
	for (unsigned int i = 0; i < SUMS; i++)
		end_sum(t, image, &sums.rows[i]);
	image->last_tsc = tsc_now;
	image->last_time = t->now;
	image->draining = false;
	if (image->tail != begin)
		image_write_limit(image);
}
