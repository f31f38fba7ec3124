/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fast/image/ender.h"

#include <stdlib.h>
#include <sys/syscall.h>

#include "fast/image/layout.h"
#include "machine/memory.h"

_Static_assert(FAST_ENDING_STATES + FAST_ENDING_COUNT * 4 <= FAST_PATCHED, "states end before what comes behind them");
_Static_assert(FAST_ENDINGS + (FAST_ENDING_COUNT << FAST_ENDING_BITS) <= FAST_DATA + FAST_DATA_SIZE, "entries");
_Static_assert(ENDING_END <= 1 << FAST_ENDING_BITS, "an entry");

static uint64_t label(const uint8_t *at)
{
	return FAST_ENDING + (uint64_t)(at - ending_begin);
}

/* r11 may be anything if the program has its own hands in this: it is to lead nowhere else. */
static bool is_return(const struct image *image, uint64_t address)
{
	uint32_t offset;
	const struct fast_site *site = image_stub_of(image, address, &offset);

	for (const struct stub_body *body = site ? site->stub->bodies : NULL; site && body < site->stub->bodies_end;
	     body++)
		if (body->number == SYS_close && body->ended == offset)
			return true;
	return false;
}

/* The number of the entry that it has taken, -1: it has none, or no such one. */
static int64_t taken(const struct registers *regs, uint64_t at)
{
	const uint64_t rax = (uint64_t)registers_result(regs);
	uint64_t place;

	if (at < label(ending_tried) || (at == label(ending_tried) && registers_carry(regs)) ||
	    (at > label(ending_tried) && at < label(ending_claimed)))
		return -1;
	if (at <= label(ending_claimed))
		return rax < FAST_ENDING_COUNT ? (int64_t)rax : -1;
	place = at < label(ending_saved)       ? rax
		: at < label(ending_restoring) ? registers_rbx(regs) - FAST_ENDINGS
					       : registers_rcx(regs) - FAST_ENDINGS;
	return place % (1 << FAST_ENDING_BITS) == 0 && place >> FAST_ENDING_BITS < FAST_ENDING_COUNT
		       ? (int64_t)(place >> FAST_ENDING_BITS)
		       : -1;
}

/* The registers as they were when it came. False: they can't be known. */
static bool restore(pid_t tid, int64_t entry, struct registers *regs)
{
	uint64_t saved[6]; /* layout.h */

	if (entry < 0 ||
	    memory_read_direct(tid, FAST_ENDINGS + ((uint64_t)entry << FAST_ENDING_BITS), saved, sizeof(saved)) < 0)
		return false;
	registers_set_ending(regs, saved);
	return true;
}

bool ender_leaves(const struct image *image, pid_t tid, struct registers *regs)
{
	const uint64_t at = registers_instruction(regs);
	const uint32_t free_again = FAST_ENDING_FREE;
	struct registers back = *regs;
	const bool whole = at >= label(ending_committed);
	int64_t entry;

	if (at < label(ending_begin) || at >= label(ending_end))
		return false;
	entry = whole ? -1 : taken(regs, at);
	if (at >= label(ending_saved) && !whole && !restore(tid, entry, &back))
		return false;
	if (!is_return(image, registers_r11(&back)))
		return false;
	if (entry >= 0)
		memory_write_direct(tid, FAST_ENDING_STATES + (uint64_t)entry * sizeof(free_again), &free_again,
				    sizeof(free_again));
	registers_set_result(&back, SYS_close);
	registers_set_carry(&back, !whole);
	registers_set_instruction(&back, registers_r11(&back));
	registers_forget_call(&back);
	*regs = back;
	return true;
}
