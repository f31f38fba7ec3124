/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PT_FAST_SITES_H
#define PT_FAST_SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The system calls in the code of one executable segment, and whether their surroundings can be replaced. */

#define SITE_BYTES 24

struct site {
	uint32_t offset; /* of the syscall instruction */
	uint8_t before;
	uint8_t after;
	bool patchable;
	bool number_known;
	bool foreign;
	bool data;
	uint32_t number;
	uint8_t bytes[SITE_BYTES];
};

/* All system calls in the code, in order: 0 (the caller frees *sites), -ENOMEM, or -EFBIG from 4 GiB on. Only relative
 * jumps and calls of this segment are seen: what a jump table or a pointer leads to is not. */
int sites_find(const uint8_t *code, size_t size, struct site **sites, unsigned int *count);

#endif
