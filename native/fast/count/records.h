/* SPDX-License-Identifier: GPL-2.0-or-later
 * What stubs have written of calls, and how it is emitted. */
#ifndef PT_FAST_RECORDS_H
#define PT_FAST_RECORDS_H

#include "fast/count/record.h"
#include "fast/image/image.h"

#define RECORDS_SUMS 512 /* a power of two */

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
/* After it all of them are emitted; but for those whose socket will be known later (image->pending). */
void records_end(struct records *records);
/* Tries those once more, now that endings have been read. */
void records_try(struct pt_tracer *t, struct image *image);
/* Nothing more will be known of them. */
void records_give_up(struct pt_tracer *t, struct image *image);
/* Emits one call. time: ns, CLOCK_MONOTONIC. */
void records_emit_one(struct pt_tracer *t, struct image *image, struct tracee *tracee, const struct fast_record *record,
		      uint64_t time);

#endif
