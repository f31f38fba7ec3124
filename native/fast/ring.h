/* SPDX-License-Identifier: GPL-2.0-only
 * The records that stubs have written. */
#ifndef PT_FAST_RING_H
#define PT_FAST_RING_H

#include "fast/image.h"

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

/* Reads what is new and tells it. Before anything of this process is handled that comes after it. */
void ring_drain(struct pt_tracer *t, struct image *image);
/* Tells one call. time: ns, CLOCK_MONOTONIC. */
void ring_tell(struct pt_tracer *t, struct image *image, struct tracee *tracee, const struct fast_record *record,
	       uint64_t time);
/* Address of the record with this number. */
uint64_t ring_place(uint64_t index);

#endif
