/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A record is whole when its last word bears the round of the ring that its number belongs to (stub.S). One that is not
 * is a gap: its thread is about to write it, or was put off the CPU just there, for as long as the scheduler likes. The
 * records behind it may not wait: another thread may be about to close the fd that they name. So they are emitted, and
 * the gaps are looked at again each time.
 */
#include "fast/count/drain.h"
#include "fast/count/fading.h"

#include <errno.h>
#include <stdlib.h>

#include "fast/count/attempts.h"
#include "fast/count/distrust.h"
#include "fast/count/endings.h"
#include "fast/count/records.h"
#include "fast/count/ring.h"
#include "fast/count/stamp.h"
#include "fast/image/layout.h"
#include "records/debug.h"

#define CHUNK 1024 /* records that are read at a time */

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

static void emit_gaps(struct records *emitted, unsigned int index)
{
	struct fast_ring *ring = &emitted->image->rings[index];
	unsigned int left = 0;

	for (unsigned int i = 0; i < ring->gap_count; i++) {
		struct fast_record record;

		if (read_one(emitted->image, index, ring->gaps[i], &record))
			records_emit(emitted, &record);
		else
			ring->gaps[left++] = ring->gaps[i];
	}
	ring->gap_count = left;
}

/* One chunk. 0 or -errno; -EPROTO: no stub has written that.
 *
 * A race with the threads, which write on: the order within each of them has to be kept. A thread that has written a
 * record has written all of its earlier ones. So after the chunk was read, what was not whole in it is read once more,
 * the last one first, and then the gaps before it; and what is whole is emitted in order. */
static int emit_chunk(struct records *emitted, unsigned int index, uint64_t count)
{
	struct fast_ring *ring = &emitted->image->rings[index];
	struct fast_record records[CHUNK];
	int error = read_chunk(emitted->image, index, records, count);

	if (error)
		return error;
	for (uint64_t i = count; i-- > 0;)
		if (!is_whole(&records[i], ring->tail + i))
			read_one(emitted->image, index, ring->tail + i, &records[i]);
	emit_gaps(emitted, index);
	for (uint64_t i = 0; i < count; i++, ring->tail++) {
		if (is_whole(&records[i], ring->tail))
			records_emit(emitted, &records[i]);
		else if (!add_gap(ring, ring->tail))
			return -ENOMEM; /* it is read again at the next drain */
		if (emitted->image->lost || has_too_many_gaps(ring))
			return -EPROTO;
	}
	return 0;
}

static void note_drain(const struct records *emitted, unsigned int index, uint64_t first, uint64_t unread)
{
	const struct fast_ring *ring = &emitted->image->rings[index];
	const pid_t tgid = emitted->image->group->tgid;

	if (ring->tail != first || ring_first_unread(ring) != unread)
		debug(emitted->t, PT_DEBUG_DRAIN, tgid,
		      (struct pt_debug_entry){.status = (int32_t)index,
					      .number = first,
					      .count = ring->tail - first,
					      .length = ring->gap_count});
	if (ring->was_full)
		debug(emitted->t, PT_DEBUG_FULL, tgid,
		      (struct pt_debug_entry){.status = (int32_t)index, .number = ring->tail});
}

static int drain_one(struct records *emitted, unsigned int index, uint64_t head)
{
	struct fast_ring *ring = &emitted->image->rings[index];
	const uint64_t before = ring_first_unread(ring);
	const uint64_t first = ring->tail;
	int error = 0;

	ring->was_full = head >= ring_limit(emitted->image, ring);
	if (ring->tail == head)
		emit_gaps(emitted, index);
	while (ring->tail < head && !error)
		error = emit_chunk(emitted, index, head - ring->tail < CHUNK ? head - ring->tail : CHUNK);
	note_drain(emitted, index, first, before);
	if (ring_first_unread(ring) != before)
		ring_write_limit(emitted->image, index);
	else
		ring->was_full = false;
	return error;
}

static bool has_news(struct image *image, const struct ring_line lines[FAST_RINGS])
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
static bool is_possible(const struct image *image, const struct ring_line lines[FAST_RINGS])
{
	for (unsigned int i = 0; i < FAST_RINGS; i++) {
		const struct fast_ring *ring = &image->rings[i];

		if (lines[i].head < ring->tail || lines[i].head - ring_first_unread(ring) > FAST_RING_RECORDS)
			return false;
	}
	return true;
}

/* 0 or -errno; -EPROTO: no stub has written that. */
static int read_lines(const struct image *image, struct ring_line lines[FAST_RINGS])
{
	const size_t size = FAST_RINGS * sizeof(lines[0]);
	int error = image_read(image, FAST_HEADS, lines, size);

	/* A race with the stubs: nothing promises that a word is copied in one go while it is being added to. Twice in
	 * a row that does not go wrong. */
	if (!error && !is_possible(image, lines))
		error = image_read(image, FAST_HEADS, lines, size);
	return error ? error : is_possible(image, lines) ? 0 : -EPROTO;
}

static int drain_all(struct records *emitted, const struct ring_line lines[FAST_RINGS])
{
	int error = 0;

	for (unsigned int i = 0; i < FAST_RINGS && (!error || error == -ENOMEM); i++)
		error = drain_one(emitted, i, lines[i].head);
	return error == -ENOMEM ? 0 : error;
}

/* What closes in stubs have left is read first (endings.c), and emitted last; what connects have left is read then, and
 * emitted first (attempts.c). */
static int read_all(struct pt_tracer *t, struct image *image)
{
	struct ring_line lines[FAST_RINGS];
	struct records emitted;
	int error = endings_read(image);

	if (!error)
		error = attempts_read(image);
	if (!error)
		error = read_lines(image, lines);
	if (!error && image->attempts.first) {
		image->draining = true;
		attempts_emit(t, image);
		image->draining = false;
	}
	if (!error && (has_news(image, lines) || image->pending.count)) {
		image->draining = true; /* a look-up on the way may want what a drain gives (door_learn) */
		records_try(t, image);
		records_begin(&emitted, t, image);
		error = drain_all(&emitted, lines);
		records_end(&emitted);
		image->draining = false;
	}
	if (!error) {
		endings_emit(t, image);
		fading_tidy(t, image);
	}
	return error;
}

void drain_read(struct pt_tracer *t, struct image *image)
{
	unsigned int others = image->thread_count + 1;
	int error;

	if (image->draining || image->lost || image->stage == IMAGE_CLOSED)
		return;
	error = read_all(t, image);
	/* Of a process that ends the one through which it is read next may die just then, too. */
	while (error == -ESRCH && others-- && image_read_through_another(t, image, NULL))
		error = read_all(t, image);
	if (error)
		distrust_unread(t, image, error);
}

void drain_now(struct pt_tracer *t, struct image *image)
{
	/* Before the heads are read: what bears an earlier time is among what is read now. */
	stamp_take(t);
	drain_read(t, image);
}
