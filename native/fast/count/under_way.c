/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fast/count/under_way.h"

#include "fast/count/slot.h"

bool under_way_any(const struct image *image, unsigned int fd)
{
	return fd < FAST_FDS && slot_read(image, fd).under_way;
}

void under_way_release(const struct image *image, unsigned int fd)
{
	struct slot slot = {0};

	/* This is not atomic, and a thread may enter a call on this fd right now. So it is done only for the single
	 * one; else the count stays too high, and the fd is slow when its number is used again. */
	if (fd >= FAST_FDS || image_read(image, slot_address(fd), &slot, sizeof(slot)) < 0 || slot.under_way != 1)
		return;
	slot_write(image, fd, FAST_SLOT_UNDER_WAY, 0);
}

void under_way_end_closing(const struct image *image, unsigned int fd, bool made)
{
	struct slot slot;

	if (fd >= FAST_FDS)
		return;
	/* Nobody else changes the generation while it is odd. */
	slot = slot_read(image, fd);
	if (!slot_is_closing(&slot))
		return;
	/* It may have been marked for the next one meanwhile; so that this one is not lost by that it counts as used.
	 */
	if (!made)
		slot_write(image, fd, FAST_SLOT_LEARNT, (slot.generation - FAST_STEP) | FAST_USED);
	slot_write(image, fd, FAST_SLOT_GENERATION, made ? slot.generation + FAST_STEP : slot.generation - FAST_STEP);
}

/* Only the thread that connects it changes what stands there, and stops do. */
void under_way_end_connecting(const struct image *image, unsigned int fd, uint32_t generation, bool begun)
{
	struct slot slot;
	uint32_t state;

	if (fd >= FAST_FDS)
		return;
	slot = slot_read(image, fd);
	state = slot.state ^ slot.generation;
	if (slot.generation != generation || (state != FAST_CONNECTING && state != FAST_CONNECTED))
		return;
	if (begun)
		slot_write(image, fd, FAST_SLOT_LEARNT, generation | FAST_USED);
	slot_write(image, fd, FAST_SLOT_STATE, begun ? FAST_NOTHING : FAST_MADE ^ generation);
}
