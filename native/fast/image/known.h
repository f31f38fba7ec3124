/* SPDX-License-Identifier: GPL-2.0-or-later
 * Which executable memory of a process was looked at, and how it looked. */
#ifndef PT_FAST_KNOWN_H
#define PT_FAST_KNOWN_H

#include "fast/image/code.h"
#include "fast/image/image.h"

/* This mapping, whose code was looked at, is known from now on; what was known of these addresses is not any more. 0 or
 * -ENOMEM. */
int known_add(struct image *image, const struct mapping *mapping);
/* Nothing is known any more of memory that is in part in this range. */
void known_drop(struct image *image, uint64_t begin, uint64_t end);
/* Is all of this range known? Is any of it? */
bool known_covers(const struct image *image, uint64_t begin, uint64_t end);
bool known_touches(const struct image *image, uint64_t begin, uint64_t end);
/* Are there jumps to stubs in this range? */
bool known_is_patched(const struct image *image, uint64_t begin, uint64_t end);
/* Tells the stubs where the jumps are (FAST_PATCHED). 0 or -errno. */
int known_write(const struct image *image);
/* A fork has copied the memory. 0 or -ENOMEM. */
int known_copy(struct image *image, const struct image *of);
void known_destroy(struct image *image);

#endif
