/* SPDX-License-Identifier: GPL-2.0-or-later
 * The words of one fd's slot. */
#ifndef PT_FAST_SLOT_H
#define PT_FAST_SLOT_H

#include <stddef.h>

#include "fast/image/image.h"

/* As layout.h has it. */
struct slot {
	uint32_t state;
	uint32_t under_way;
	uint32_t generation;
	uint32_t learnt;
	uint32_t born;
};

_Static_assert(offsetof(struct slot, under_way) == FAST_SLOT_UNDER_WAY &&
		       offsetof(struct slot, generation) == FAST_SLOT_GENERATION &&
		       offsetof(struct slot, learnt) == FAST_SLOT_LEARNT &&
		       offsetof(struct slot, born) == FAST_SLOT_BORN,
	       "as stub.S has them");

static inline uint64_t slot_address(unsigned int fd)
{
	return FAST_SLOTS + ((uint64_t)fd << FAST_SLOT_BITS);
}

static inline struct slot slot_read(const struct image *image, unsigned int fd)
{
	struct slot slot = {.generation = FAST_STEP}; /* if it can't be read: nothing is learnt */

	image_read(image, slot_address(fd), &slot, sizeof(slot));
	return slot;
}

static inline bool slot_write(const struct image *image, unsigned int fd, unsigned int word, uint32_t value)
{
	return image_write(image, slot_address(fd) + word, &value, sizeof(value)) == 0;
}

static inline bool slot_is_closing(const struct slot *slot)
{
	return slot->generation & FAST_STEP;
}

static inline uint32_t slot_state(const struct slot *slot)
{
	const uint32_t state = slot->state ^ slot->generation;

	return state <= FAST_STOPS ? state : FAST_UNKNOWN;
}

/* The generation of an fd, and what a record says of it. It is read before the kernel is asked what the fd names: then
 * what has come out is never taken for another one. */
static inline uint32_t slot_generation(const struct image *image, unsigned int fd)
{
	return fd < FAST_FDS ? slot_read(image, fd).generation : 0;
}

static inline uint16_t slot_shown(uint32_t generation)
{
	return (uint16_t)(generation >> FAST_STEP_BIT);
}

#endif
