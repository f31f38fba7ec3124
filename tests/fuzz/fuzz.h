/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the parts of the fuzzer share: an input that is read piece by piece, and a tracee whose memory holds what the
 * input says. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "fast/image/image.h"

/* Not assert(3): it is to hold in any build. */
#define HOLDS(ok)                \
	do {                     \
		if (!(ok))       \
			abort(); \
	} while (0)

struct input {
	const uint8_t *at;
	size_t left;
};

/* Zeros behind its end. */
uint64_t input_number(struct input *input, size_t bytes);
static inline uint8_t input_byte(struct input *input)
{
	return (uint8_t)input_number(input, 1);
}

/* The program's code in the tracee, beside what ptmon has there (fast/layout.h). */
#define PROGRAM 0x10000000
#define PROGRAM_SIZE 0x10000

/* The tracee is this process, but nobody can read or write of it what does not lie in these three ranges. */
void memory_begin(void);
/* What its /proc/PID/maps says; NULL: what it is. */
void memory_maps(const uint8_t *text, size_t length);
/* The records can't be read from now on. */
void memory_hide_rings(void);
void memory_put(uint64_t address, const void *from, size_t length);

/* Sites with stubs, as ptmon has them that has patched a program. The caller frees sites. */
void sites_make(struct image *image, struct input *input);

void fuzz_rings(struct input *input);
void fuzz_table(struct input *input);
void fuzz_sites(struct input *input);
void fuzz_maps(struct input *input);
void fuzz_frames(struct input *input);

#endif
