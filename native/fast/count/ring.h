/* SPDX-License-Identifier: GPL-2.0-or-later
 * The rings of records that stubs write: where they are, and how far stubs may go on (drain.c reads them). */
#ifndef PT_FAST_RING_H
#define PT_FAST_RING_H

#include "fast/count/record.h"
#include "fast/image/image.h"

/* As stubs know it. */
struct ring_line {
	uint64_t head;
	uint64_t limit;
	uint8_t rest[(1 << FAST_HEAD_BITS) - 16];
};

/* Empty rings, for memory that is new. */
void ring_reset(struct image *image);
/* What the rings hold is another tracer's, or process's: reading begins behind it. 0 or -errno. */
int ring_skip(struct image *image);
/* Writes what the stubs need to know of the rings. 0 or -errno. */
int ring_write(const struct image *image);
/* Room for one more record of each thread. 0 or -errno. */
int ring_reserve(struct image *image);
/* Was the ring of this thread full until now? True once: its call may be tried again in the stub. */
bool ring_was_full(struct image *image, uint64_t pointer);
void ring_destroy(struct image *image);
/* Of which ring are the records of the thread with this thread pointer? */
unsigned int ring_of(const struct image *image, uint64_t pointer);
/* Number of the first record that was not read yet. */
uint64_t ring_first_unread(const struct fast_ring *ring);
/* Up to which number stubs may write; and tells them. 0 or -errno. */
uint64_t ring_limit(const struct image *image, const struct fast_ring *ring);
int ring_write_limit(const struct image *image, unsigned int ring);
/* Offset from FAST_RING on of the record with this number. */
uint64_t ring_place(unsigned int ring, uint64_t number);
/* The other way round, for a record that was not read yet. */
uint64_t ring_number(const struct image *image, uint64_t place);

#endif
