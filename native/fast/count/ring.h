/* SPDX-License-Identifier: GPL-2.0-only
 * The rings of records that stubs have written. */
#ifndef PT_FAST_RING_H
#define PT_FAST_RING_H

#include "fast/count/records.h"
#include "fast/image/image.h"

/* Reads what is new and emits it. Before anything of this process is handled that comes after it. Then it is now. */
void ring_drain(struct pt_tracer *t, struct image *image);
/* The same, as of the last stamp (stamp.h). */
void ring_read(struct pt_tracer *t, struct image *image);
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
/* Offset from FAST_RING on of the record with this number. */
uint64_t ring_place(unsigned int ring, uint64_t number);
/* The other way round, for a record that was not read yet. */
uint64_t ring_number(const struct image *image, uint64_t place);

#endif
