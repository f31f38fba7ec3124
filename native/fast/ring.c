/* SPDX-License-Identifier: GPL-2.0-only
 *
 * A record is whole when its last word bears the round of the ring that its number belongs to (stub.S). Reading ends at
 * the first that is not: its thread is about to write it, or has died half-way.
 */
#include "fast/ring.h"

#include <errno.h>
#include <sys/uio.h>
#include <x86intrin.h>

#include "call.h"
#include "emit.h"
#include "fast/layout.h"
#include "fast/slots.h"
#include "files.h"
#include "transfer.h"

#define CHUNK 1024 /* records that are read at a time */

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

void ring_tell(struct pt_tracer *t, struct image *image, struct tracee *tracee, const struct fast_record *record,
	       uint64_t time)
{
	struct counted counted = {
		.entry = syscall_find(ABI_NATIVE, record->number),
		.fd = (int)record->fd,
		.result = record->result,
		.time = time,
	};

	if (record->number == FAST_NUMBER_VOID || !tracee || !counted.entry || !call_counts(t, tracee))
		return;
	counted.socket = slots_fading(image, record->fd);
	if (!counted.socket && files_lookup(t, tracee, counted.fd, &counted.socket) != 1)
		return;
	transfer_counted(t, tracee, &counted);
}

static int write_limit(struct image *image)
{
	const uint64_t limit = image->tail + FAST_RING_RECORDS - FAST_THREADS;

	return image_write(image, FAST_LIMIT, &limit, sizeof(limit));
}

static bool read_chunk(const struct image *image, struct fast_record *records, uint64_t count)
{
	uint64_t first = image->tail & (FAST_RING_RECORDS - 1);
	uint64_t part = FAST_RING_RECORDS - first < count ? FAST_RING_RECORDS - first : count;

	if (image_read(image, ring_place(image->tail), records, part * sizeof(*records)) < 0)
		return false;
	return part == count || image_read(image, FAST_RING, records + part, (count - part) * sizeof(*records)) == 0;
}

void ring_drain(struct pt_tracer *t, struct image *image)
{
	struct fast_record records[CHUNK];
	uint64_t head, begin = image->tail, tsc_now;
	bool whole = true;

	if (image->draining || image_read(image, FAST_HEAD, &head, sizeof(head)) < 0)
		return;
	image->draining = true; /* a look-up on the way may want what a drain gives (slots_learn) */
	tsc_now = __rdtsc();
	while (whole && image->tail < head) {
		uint64_t count = head - image->tail < CHUNK ? head - image->tail : CHUNK;

		if (!read_chunk(image, records, count))
			break;
		for (uint64_t i = 0; i < count; i++) {
			const struct fast_record *record = &records[i];

			whole = is_whole(record, image->tail);
			if (!whole)
				break;
			ring_tell(t, image, thread_of(image, record->thread), record,
				  time_of(t, image, record->tsc, tsc_now));
			image->tail++;
		}
	}
	image->last_tsc = tsc_now;
	image->last_time = t->now;
	image->draining = false;
	if (image->tail != begin)
		write_limit(image);
}
