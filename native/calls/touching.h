/* SPDX-License-Identifier: GPL-2.0-only
 * What the filter (filter.c) says of calls that could touch the memory of the fast path. */
#ifndef PT_TOUCHING_H
#define PT_TOUCHING_H

#include <linux/filter.h>

#include "fast/fast.h"

#define TOUCHING_MOST 16 /* instructions */

/* Writes what follows when the number of the call has matched; every way through it ends in one of two verdicts.
 * Returns its length in instructions. */
unsigned int touching_build(struct sock_filter program[TOUCHING_MOST], enum abi abi, enum fast_touches touches,
			    uint32_t pass, uint32_t stop);

#endif
