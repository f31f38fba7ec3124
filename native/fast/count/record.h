/* SPDX-License-Identifier: GPL-2.0-or-later
 * What a stub writes of a call. */
#ifndef PT_FAST_RECORD_H
#define PT_FAST_RECORD_H

#include <stdint.h>

#define FAST_NUMBER_VOID 0xffff /* its thread has died half-way, or was counted otherwise */

/* As stub.S writes it. */
struct fast_record {
	uint16_t fd;
	uint16_t generation; /* of the fd (layout.h), as many bits as there is room for */
	uint16_t number;     /* of the call */
	uint16_t round;	     /* of the ring */
	int64_t result;
	uint64_t thread; /* its thread pointer */
	uint64_t tsc;
};

#endif
