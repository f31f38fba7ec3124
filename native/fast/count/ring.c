/* SPDX-License-Identifier: GPL-2.0-only
 *
 * A record is whole when its last word bears the round of the ring that its number belongs to (stub.S). One that is not
 * is a gap: its thread is about to write it, or was put off the CPU just there, for as long as the scheduler likes. The
 * records behind it may not wait: another thread may be about to close the fd that they name. So they are told, and
 * the gaps are looked at again each time.
 */
#include "fast/count/ring.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "fast/count/distrust.h"
#include "fast/count/stamp.h"
#include "fast/image/layout.h"
#include "records/debug.h"

#define CHUNK 1024 /* records that are read at a time */
#define RESERVE 64 /* threads for which room is made at a time */
/* A ring's first number is at most this, so that sums with it do not wrap: at a record each nanosecond it lasts for a
 * century. */
#define NUMBER_MOST (1ull << 62)

/* As stubs know it. */
struct line {
	uint64_t head;
	uint64_t limit;
	uint8_t rest[(1 << FAST_HEAD_BITS) - 16];
};

_Static_assert(sizeof(struct line) == 1 << FAST_HEAD_BITS && offsetof(struct line, limit) == FAST_LIMIT, "a line");
_Static_assert(sizeof(struct fast_record) == 1 << FAST_RECORD_BITS, "a record");

static uint64_t line_of(unsigned int ring)
{
	return FAST_HEADS + ((uint64_t)ring << FAST_HEAD_BITS);
}

unsigned int ring_of(const struct image *image, uint64_t pointer)
{
	/* As RING of stub.S. */
	return image->flags & FAST_TIMED ? 0 : (pointer >> FAST_THREAD_BITS) % FAST_RINGS;
}

uint64_t ring_place(unsigned int ring, uint64_t number)
{
	return (((uint64_t)ring << FAST_RING_BITS) + (number & (FAST_RING_RECORDS - 1))) << FAST_RECORD_BITS;
}

static uint64_t first_unread(const struct fast_ring *ring)
{
	return ring->gap_count ? ring->gaps[0] : ring->tail;
}

uint64_t ring_number(const struct image *image, uint64_t place)
{
	const uint64_t index = place >> FAST_RECORD_BITS, first = first_unread(&image->rings[index >> FAST_RING_BITS]);

	return first + ((index - first) & (FAST_RING_RECORDS - 1));
}

static uint64_t limit_of(const struct image *image, const struct fast_ring *ring)
{
	return first_unread(ring) + FAST_RING_RECORDS - image->reserve;
}

static int write_limit(const struct image *image, unsigned int ring)
{
	const uint64_t limit = limit_of(image, &image->rings[ring]);

	return image_write(image, line_of(ring) + FAST_LIMIT, &limit, sizeof(limit));
}

void ring_reset(struct image *image)
{
	image->reserve = RESERVE;
	for (unsigned int i = 0; i < FAST_RINGS; i++)
		image->rings[i].tail = FAST_RING_RECORDS; /* the first round is 1: an empty record bears 0 */
}

int ring_skip(struct image *image)
{
	struct line lines[FAST_RINGS];
	int error = image_read(image, FAST_HEADS, lines, sizeof(lines));

	for (unsigned int i = 0; i < FAST_RINGS && !error; i++) {
		if (lines[i].head < FAST_RING_RECORDS || lines[i].head > NUMBER_MOST)
			error = -EPROTO;
		image->rings[i].tail = lines[i].head;
	}
	return error;
}

int ring_write(const struct image *image)
{
	const uint32_t spread = image->flags & FAST_TIMED ? 0 : FAST_SPREAD_ALL;
	struct line lines[FAST_RINGS] = {0};

	for (unsigned int i = 0; i < FAST_RINGS; i++) {
		lines[i].head = image->rings[i].tail;
		lines[i].limit = limit_of(image, &image->rings[i]);
	}
	if (image_write(image, FAST_HEADS, lines, sizeof(lines)) < 0)
		return -EFAULT;
	return image_write(image, FAST_SPREAD, &spread, sizeof(spread));
}

int ring_reserve(struct image *image)
{
	/* Also for those whose thread pointers are not known yet. */
	const unsigned int known = image->thread_count, all = image->group->threads,
			   threads = all > known ? all : known;
	int error = 0;

	if (threads < image->reserve)
		return 0;
	while (threads >= image->reserve)
		image->reserve += RESERVE;
	for (unsigned int i = 0; i < FAST_RINGS && !error; i++)
		error = write_limit(image, i);
	return error;
}

void ring_destroy(struct image *image)
{
	for (unsigned int i = 0; i < FAST_RINGS; i++)
		free(image->rings[i].gaps);
}

bool ring_was_full(struct image *image, uint64_t pointer)
{
	struct fast_ring *ring = &image->rings[ring_of(image, pointer)];
	const bool was_full = ring->was_full;

	ring->was_full = false;
	return was_full;
}

static bool is_whole(const struct fast_record *record, uint64_t number)
{
	return record->round == (uint16_t)(number >> FAST_RING_BITS);
}

/* False: it is not whole. */
static bool read_one(const struct image *image, unsigned int ring, uint64_t number, struct fast_record *record)
{
	return image_read(image, FAST_RING + ring_place(ring, number), record, sizeof(*record)) == 0 &&
	       is_whole(record, number);
}

static int read_chunk(const struct image *image, unsigned int ring, struct fast_record *records, uint64_t count)
{
	const uint64_t number = image->rings[ring].tail;
	const uint64_t room = FAST_RING_RECORDS - (number & (FAST_RING_RECORDS - 1)),
		       part = room < count ? room : count;
	int error = image_read(image, FAST_RING + ring_place(ring, number), records, part * sizeof(*records));

	if (!error && part < count)
		error = image_read(image, FAST_RING + ring_place(ring, number + part), records + part,
				   (count - part) * sizeof(*records));
	return error;
}

static bool add_gap(struct fast_ring *ring, uint64_t number)
{
	uint64_t *more = realloc(ring->gaps, (ring->gap_count + 1) * sizeof(*more));

	if (!more)
		return false;
	ring->gaps = more;
	more[ring->gap_count++] = number;
	return true;
}

/* A thread has begun one record at most. */
static bool has_too_many_gaps(const struct fast_ring *ring)
{
	return ring->gap_count > FAST_THREADS;
}

static void tell_gaps(struct records *told, unsigned int index)
{
	struct fast_ring *ring = &told->image->rings[index];
	unsigned int left = 0;

	for (unsigned int i = 0; i < ring->gap_count; i++) {
		struct fast_record record;

		if (read_one(told->image, index, ring->gaps[i], &record))
			records_tell(told, &record);
		else
			ring->gaps[left++] = ring->gaps[i];
	}
	ring->gap_count = left;
}

/* One chunk. 0 or -errno; -EPROTO: no stub has written that.
 *
 * A race with the threads, which write on: the order within each of them has to be kept. Who has written a record has
 * written all of its earlier ones. So after the chunk was read, what was not whole in it is read once more, the last
 * one first, and then the gaps before it; and what is whole is told in order. */
static int tell_chunk(struct records *told, unsigned int index, uint64_t count)
{
	struct fast_ring *ring = &told->image->rings[index];
	struct fast_record records[CHUNK];
	int error = read_chunk(told->image, index, records, count);

	if (error)
		return error;
	for (uint64_t i = count; i-- > 0;)
		if (!is_whole(&records[i], ring->tail + i))
			read_one(told->image, index, ring->tail + i, &records[i]);
	tell_gaps(told, index);
	for (uint64_t i = 0; i < count; i++, ring->tail++) {
		if (is_whole(&records[i], ring->tail))
			records_tell(told, &records[i]);
		else if (!add_gap(ring, ring->tail))
			return -ENOMEM; /* it is read again at the next drain */
		if (told->image->lost || has_too_many_gaps(ring))
			return -EPROTO;
	}
	return 0;
}

static int drain_one(struct records *told, unsigned int index, uint64_t head)
{
	struct fast_ring *ring = &told->image->rings[index];
	const uint64_t before = first_unread(ring);
	const uint64_t first = ring->tail;
	int error = 0;

	ring->was_full = head >= limit_of(told->image, ring);
	if (ring->tail == head)
		tell_gaps(told, index);
	while (ring->tail < head && !error)
		error = tell_chunk(told, index, head - ring->tail < CHUNK ? head - ring->tail : CHUNK);
	if (ring->tail != first || first_unread(ring) != before)
		debug(told->t, PT_DEBUG_DRAIN, told->image->group->tgid,
		      (struct pt_debug_entry){.status = (int32_t)index,
					      .number = first,
					      .count = ring->tail - first,
					      .length = ring->gap_count});
	if (ring->was_full)
		debug(told->t, PT_DEBUG_FULL, told->image->group->tgid,
		      (struct pt_debug_entry){.status = (int32_t)index, .number = head});
	if (first_unread(ring) != before)
		write_limit(told->image, index);
	else
		ring->was_full = false;
	return error;
}

static bool has_news(struct image *image, const struct line lines[FAST_RINGS])
{
	bool news = false;

	for (unsigned int i = 0; i < FAST_RINGS; i++) {
		image->rings[i].was_full = false;
		news |= image->rings[i].tail < lines[i].head || image->rings[i].gap_count;
	}
	return news;
}

/* The limit keeps a head from overtaking what is not read yet, and nothing takes it back. What the tracee may have
 * written there instead must not say how long the tracer reads. */
static bool is_possible(const struct image *image, const struct line lines[FAST_RINGS])
{
	for (unsigned int i = 0; i < FAST_RINGS; i++) {
		const struct fast_ring *ring = &image->rings[i];

		if (lines[i].head < ring->tail || lines[i].head - first_unread(ring) > FAST_RING_RECORDS)
			return false;
	}
	return true;
}

/* 0 or -errno; -EPROTO: no stub has written that. */
static int read_lines(const struct image *image, struct line lines[FAST_RINGS])
{
	const size_t size = FAST_RINGS * sizeof(lines[0]);
	int error = image_read(image, FAST_HEADS, lines, size);

	/* A race with the stubs: nothing promises that a word is copied in one go while it is being added to. Twice in
	 * a row that does not go wrong. */
	if (!error && !is_possible(image, lines))
		error = image_read(image, FAST_HEADS, lines, size);
	return error ? error : is_possible(image, lines) ? 0 : -EPROTO;
}

static int drain_all(struct records *told, const struct line lines[FAST_RINGS])
{
	int error = 0;

	for (unsigned int i = 0; i < FAST_RINGS && (!error || error == -ENOMEM); i++)
		error = drain_one(told, i, lines[i].head);
	return error == -ENOMEM ? 0 : error;
}

void ring_read(struct pt_tracer *t, struct image *image)
{
	struct line lines[FAST_RINGS];
	struct records told;
	int error;

	if (image->draining || image->lost || image->closed)
		return;
	error = read_lines(image, lines);
	if (!error && has_news(image, lines)) {
		image->draining = true; /* a look-up on the way may want what a drain gives (door_learn) */
		records_begin(&told, t, image);
		error = drain_all(&told, lines);
		records_end(&told);
		image->draining = false;
	}
	if (error)
		distrust_unread(t, image, error);
}

void ring_drain(struct pt_tracer *t, struct image *image)
{
	/* Before the heads are read: what bears an earlier time is among what is read now. */
	stamp_take(t);
	ring_read(t, image);
}
