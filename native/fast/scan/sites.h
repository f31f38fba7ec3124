/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PT_FAST_SITES_H
#define PT_FAST_SITES_H

#include <stddef.h>
#include <stdint.h>

#include "fast/scan/site.h"

/* All system calls in the code, in order: 0 (the caller frees *sites), -ENOMEM, or -EFBIG from 4 GiB on. Only relative
 * jumps and calls of this segment, and the addresses that it computes, are seen: what a jump table in another one or a
 * pointer leads to is not. */
int sites_find(const uint8_t *code, size_t size, struct site **sites, unsigned int *count);

#endif
