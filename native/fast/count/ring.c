/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fast/count/ring.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "fast/image/layout.h"

#define RESERVE 64 /* threads for which room is made at a time */
/* A ring's first number is at most this, so that sums with it do not wrap: at a record each nanosecond it lasts for a
 * century. */
#define NUMBER_MOST (1ull << 62)

_Static_assert(sizeof(struct ring_line) == 1 << FAST_HEAD_BITS && offsetof(struct ring_line, limit) == FAST_LIMIT,
	       "a line");
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

uint64_t ring_first_unread(const struct fast_ring *ring)
{
	return ring->gap_count ? ring->gaps[0] : ring->tail;
}

uint64_t ring_number(const struct image *image, uint64_t place)
{
	const uint64_t index = place >> FAST_RECORD_BITS,
		       first = ring_first_unread(&image->rings[index >> FAST_RING_BITS]);

	return first + ((index - first) & (FAST_RING_RECORDS - 1));
}

uint64_t ring_limit(const struct image *image, const struct fast_ring *ring)
{
	return ring_first_unread(ring) + FAST_RING_RECORDS - image->reserve;
}

int ring_write_limit(const struct image *image, unsigned int ring)
{
	const uint64_t limit = ring_limit(image, &image->rings[ring]);

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
	struct ring_line lines[FAST_RINGS];
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
	struct ring_line lines[FAST_RINGS] = {0};

	for (unsigned int i = 0; i < FAST_RINGS; i++) {
		lines[i].head = image->rings[i].tail;
		lines[i].limit = ring_limit(image, &image->rings[i]);
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
		error = ring_write_limit(image, i);
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
