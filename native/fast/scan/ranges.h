/* SPDX-License-Identifier: GPL-2.0-or-later
 * Which bytes around a syscall instruction can be replaced. */
#ifndef PT_FAST_RANGES_H
#define PT_FAST_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fast/scan/site.h"

#define CALL_BYTES 2
#define RANGE_STEPS 5

/* Code whose jumps are known. */
struct ground {
	const uint8_t *code;
	size_t size;
	uint8_t *targets; /* a bit for each byte */
};

void ground_add_target(struct ground *ground, size_t end, int32_t displacement);
/* Does anything jump to [first, end)? */
bool ground_is_entered(const struct ground *ground, size_t first, size_t end);

/* A range of a known pattern, if there is one. back: how far before the site the instructions in front of it begin, the
 * nearest first, RANGE_STEPS of them, or 0 for those that are not known. */
void range_take_pattern(const struct ground *ground, struct site *site, const uint8_t *back);
/* Chooses any range in [low, high). */
void range_choose(const struct ground *ground, struct site *site, const uint8_t *back, size_t low, size_t high);

#endif
