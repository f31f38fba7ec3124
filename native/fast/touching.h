/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the filter (../calls/filter.c) says of calls that could touch the memory of the fast path. */
#ifndef PT_TOUCHING_H
#define PT_TOUCHING_H

#include <linux/filter.h>

#include "syscalls/syscalls.h"

/* Writes what follows when the number of the call has matched; every way through it ends in one of two verdicts.
 * Returns its length in
 * instructions: FILTER_PIECE at most, and 0 for a call that could not. */
unsigned int touching_filter(struct sock_filter *program, enum abi abi, uint64_t number, uint32_t pass, uint32_t stop);

#endif
