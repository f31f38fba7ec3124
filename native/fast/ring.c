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
#include "restart.h"
#include "transfer.h"

#define CHUNK 1024	   /* records that are read at a time */
#define NUMBER_VOID 0xffff /* its thread has died half-way, or was counted otherwise */

struct fast_record {
	uint32_t fd;
	uint16_t number;
	uint16_t round;
	int64_t result;
	uint64_t thread;
	uint64_t tsc;
};

static uint64_t address_of(uint64_t index)
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

static void tell(struct pt_tracer *t, struct image *image, struct tracee *tracee, const struct fast_record *record,
		 uint64_t time)
{
	struct counted counted = {
		.entry = syscall_find(ABI_NATIVE, record->number),
		.fd = (int)record->fd,
		.result = record->result,
		.time = time,
	};

	if (record->number == NUMBER_VOID || !tracee || !counted.entry || !call_counts(t, tracee))
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

	if (image_read(image, address_of(image->tail), records, part * sizeof(*records)) < 0)
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
			tell(t, image, thread_of(image, record->thread), record,
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

/* The record that the dying thread has begun: it is made void, so that those behind it can be read. */
static void make_void(const struct image *image, uint64_t offset)
{
	uint64_t index = (image->tail & ~(uint64_t)(FAST_RING_RECORDS - 1)) + (offset >> FAST_RECORD_BITS);
	struct fast_record record = {.number = NUMBER_VOID};

	if (index < image->tail)
		index += FAST_RING_RECORDS;
	record.round = (uint16_t)(index >> FAST_RING_BITS);
	image_write(image, address_of(index), &record, sizeof(record));
}

/* Where in the ring a thread at this offset of its stub has a record begun; or -1. */
static int64_t begun(const struct stub_body *body, uint32_t offset, const struct registers *regs)
{
	if (offset < body->claimed || offset >= body->committed)
		return -1;
	if (offset >= body->placed)
		return (int64_t)registers_r11(regs);
	return (int64_t)((registers_rcx(regs) & (FAST_RING_RECORDS - 1)) << FAST_RECORD_BITS);
}

static bool was_interrupted(int64_t result)
{
	return result < 0 && result > -4096 && (restart_pending((int)-result) || result == -EINTR || result == -ENOSYS);
}

void ring_resolve(struct pt_tracer *t, struct image *image, struct tracee *tracee, const struct registers *regs)
{
	struct fast_record record = {.fd = (uint32_t)registers_argument(regs, 0, false)};
	uint32_t offset;
	const struct fast_site *site = image_stub_of(image, registers_instruction(regs), &offset);
	const struct stub_body *body = site ? site->stub->bodies : NULL;
	int64_t place;

	while (body && body < site->stub->bodies_end && !(body->under_way <= offset && offset < body->released))
		body++;
	if (!body || body == site->stub->bodies_end || body->claimed == body->committed)
		return; /* not in a call that counts, or one that moves nothing */
	slots_release(image, record.fd);
	if (offset < body->done || offset >= body->committed)
		return;
	record.number = (uint16_t)body->number;
	record.result = registers_result(regs);
	place = begun(body, offset, regs);
	if (place >= 0 && offset >= body->kept)
		image_read(image, FAST_RING + (uint64_t)place + 8, &record.result, sizeof(record.result));
	if (place >= 0)
		make_void(image, (uint64_t)place);
	ring_drain(t, image);
	/* A call that the death itself has ended is none. */
	if (place >= 0 || !was_interrupted(record.result))
		tell(t, image, tracee, &record, (uint64_t)t->now);
}
