/* SPDX-License-Identifier: GPL-2.0-only
 * What stubs have written of calls, and how it is emitted. */
#ifndef PT_FAST_RECORDS_H
#define PT_FAST_RECORDS_H

#include "fast/image/image.h"

#define FAST_NUMBER_VOID 0xffff /* its thread has died half-way, or was counted otherwise */

/* As stub.S writes it. */
struct fast_record {
	uint32_t fd;
	uint16_t number; /* of the call */
	uint16_t round;	 /* of the ring */
	int64_t result;
	uint64_t thread; /* its thread pointer */
	uint64_t tsc;
};

#define RECORDS_SUMS 512 /* a power of two */

/* Equal calls of one thread that are emitted as one record. */
struct records_sum {
	uint32_t fd;
	uint16_t number;
	int error;
	uint64_t thread;
	uint64_t calls;
	uint64_t bytes;
};

/* Records that are read in one go. A thread that has filled its ring may wait for the end of it, so what is done for
 * each has to be little: where nobody wants single calls, equal ones are summed up. */
struct records {
	struct pt_tracer *t;
	struct image *image;
	struct records_sum sums[RECORDS_SUMS];
	unsigned int count;	      /* of them */
	uint32_t slots[RECORDS_SUMS]; /* struct hash_index */
};

void records_begin(struct records *records, struct pt_tracer *t, struct image *image);
void records_emit(struct records *records, const struct fast_record *record);
/* After it all of them are emitted. */
void records_end(struct records *records);
/* Emits one call. time: ns, CLOCK_MONOTONIC. */
void records_emit_one(struct pt_tracer *t, struct image *image, struct tracee *tracee, const struct fast_record *record,
		      uint64_t time);

#endif
