/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fast/image/attempter.h"

#include <stdlib.h>
#include <sys/syscall.h>

#include "fast/image/layout.h"
#include "machine/memory.h"

_Static_assert(FAST_ATTEMPT_STATES + FAST_ATTEMPT_COUNT * 4 <= FAST_PATCHED,
	       "states end before what comes behind them");
_Static_assert(FAST_ENDING_STATES + FAST_ENDING_COUNT * 4 <= FAST_ATTEMPT_STATES, "and begin behind those of ends");
_Static_assert(FAST_ENDINGS + (FAST_ENDING_COUNT << FAST_ENDING_BITS) <= FAST_ATTEMPTS, "so do the entries");
_Static_assert(FAST_ATTEMPTS + (FAST_ATTEMPT_COUNT << FAST_ATTEMPT_BITS) <= FAST_PEERS, "and end before the peers");
_Static_assert(FAST_PEERS + (FAST_PEER_COUNT << FAST_PEER_BITS) <= FAST_DATA + FAST_DATA_SIZE, "which are the last");
_Static_assert(ATTEMPT_END <= 1 << FAST_ATTEMPT_BITS, "an entry");
_Static_assert(FAST_DATA + FAST_DATA_SIZE <= FAST_CODE, "data end before the code");

#define SAVED 9 /* registers, layout.h */

static uint64_t label(const uint8_t *at)
{
	return FAST_ATTEMPT + (uint64_t)(at - attempt_begin);
}

static uint64_t address_of(unsigned int entry)
{
	return FAST_ATTEMPTS + ((uint64_t)entry << FAST_ATTEMPT_BITS);
}

/* The body whose call comes here, from where it goes on: r11 may be anything if the program has its own hands in this.
 */
static const struct stub_body *body_of(const struct image *image, uint64_t address, bool behind, uint64_t *stub_at)
{
	uint32_t offset;
	const struct fast_site *site = image_stub_of(image, address, &offset);

	for (const struct stub_body *body = site ? site->stub->bodies : NULL; site && body < site->stub->bodies_end;
	     body++) {
		*stub_at = site->stub_at;
		if (body->number == SYS_connect && (behind ? body->asked : body->ready) == offset)
			return body;
	}
	return NULL;
}

static int64_t number_of(uint64_t offset)
{
	return offset % (1 << FAST_ATTEMPT_BITS) == 0 && offset >> FAST_ATTEMPT_BITS < FAST_ATTEMPT_COUNT
		       ? (int64_t)(offset >> FAST_ATTEMPT_BITS)
		       : -1;
}

/* The number of the entry that it has taken, -1: it has none, or no such one. */
static int64_t taken(const struct registers *regs, uint64_t at)
{
	const uint64_t rax = (uint64_t)registers_result(regs);

	if (at < label(attempt_tried) || (at == label(attempt_tried) && registers_carry(regs)) ||
	    (at > label(attempt_tried) && at < label(attempt_claimed)) ||
	    (at >= label(attempt_refused) && at < label(attempt_owned)))
		return -1;
	if (at <= label(attempt_claimed))
		return rax < FAST_ATTEMPT_COUNT ? (int64_t)rax : -1;
	if (at < label(attempt_saved))
		return number_of(rax);
	if ((at >= label(attempt_refusing) && at < label(attempt_refused)) ||
	    (at >= label(attempt_restoring) && at < label(attempt_returned)) || at >= label(attempt_telling))
		return number_of(registers_rcx(regs) - FAST_ATTEMPTS);
	return number_of(registers_rbx(regs) - FAST_ATTEMPTS);
}

/* The registers as they were when it came. False: they can't be known. */
static bool restore(pid_t tid, int64_t entry, struct registers *regs)
{
	uint64_t saved[SAVED];

	if (entry < 0 || memory_read_direct(tid, address_of((unsigned int)entry), saved, sizeof(saved)) < 0 ||
	    saved[SAVED - 1] != registers_stack(regs))
		return false;
	registers_set_attempt(regs, saved);
	return true;
}

/* Nobody connects the fd any more: the slot says what it said before. */
static void disown(pid_t tid, unsigned int fd, int64_t entry)
{
	const uint64_t slot = FAST_SLOTS + ((uint64_t)fd << FAST_SLOT_BITS);
	uint32_t state, generation;

	if (fd >= FAST_FDS ||
	    memory_read_direct(tid, address_of((unsigned int)entry) + ATTEMPT_GENERATION, &generation,
			       sizeof(generation)) < 0 ||
	    memory_read_direct(tid, slot + FAST_SLOT_STATE, &state, sizeof(state)) < 0 ||
	    state != (generation ^ FAST_CONNECTING))
		return;
	state = generation ^ FAST_MADE;
	memory_write_direct(tid, slot + FAST_SLOT_STATE, &state, sizeof(state));
}

static bool owns(const struct registers *regs, uint64_t at)
{
	return at >= label(attempt_owned) || (at == label(attempt_exchanged) && registers_zero(regs));
}

/* It has not made its call. */
static bool leave_before(const struct image *image, pid_t tid, struct registers *regs, uint64_t at)
{
	const int64_t entry = taken(regs, at);
	struct registers back = *regs;
	uint64_t stub_at;

	if (at >= label(attempt_saved) && !(at >= label(attempt_refused) && at < label(attempt_owned)) &&
	    !restore(tid, entry, &back))
		return false;
	if (!body_of(image, registers_r11(&back), false, &stub_at))
		return false;
	if (entry >= 0 && owns(regs, at))
		disown(tid, (unsigned int)registers_argument(&back, 0, false), entry);
	if (entry >= 0)
		attempter_free(image, (unsigned int)entry);
	registers_set_result(&back, SYS_connect);
	registers_set_carry(&back, true);
	registers_set_instruction(&back, registers_r11(&back));
	registers_forget_call(&back);
	*regs = back;
	return true;
}

static bool leave_behind(const struct image *image, pid_t tid, struct registers *regs, uint64_t at)
{
	const bool inside = at >= label(attempt_entered) && at < label(attempt_told);
	struct registers back = *regs;
	const struct stub_body *body;
	uint64_t stub_at, result;
	int64_t entry;

	if (inside) {
		entry = taken(regs, at);
		if (!restore(tid, entry, &back) ||
		    memory_read_direct(tid, address_of((unsigned int)entry) + ATTEMPT_RESULT, &result, sizeof(result)) <
			    0)
			return false;
		registers_set_result(&back, (int64_t)result);
	}
	body = body_of(image, registers_r11(&back), true, &stub_at);
	if (!body)
		return false;
	registers_set_carry(&back, at >= label(attempt_lost));
	registers_set_instruction(&back, stub_at + (at >= label(attempt_committed) ? body->asked : body->done));
	registers_forget_call(&back);
	*regs = back;
	return true;
}

bool attempter_leaves(const struct image *image, pid_t tid, struct registers *regs)
{
	const uint64_t at = registers_instruction(regs);

	if (at < label(attempt_begin) || at >= label(attempt_end))
		return false;
	return at < label(attempt_returned) ? leave_before(image, tid, regs, at) : leave_behind(image, tid, regs, at);
}

int64_t attempter_entry(const struct image *image, unsigned int fd, const struct registers *regs)
{
	uint32_t offset, state;
	uint64_t stack;
	int64_t entry;

	if (fd >= FAST_FDS || image_read(image, FAST_SLOTS + ((uint64_t)fd << FAST_SLOT_BITS) + FAST_SLOT_ATTEMPT,
					 &offset, sizeof(offset)) < 0)
		return -1;
	entry = number_of(offset);
	if (entry < 0 ||
	    image_read(image, FAST_ATTEMPT_STATES + (uint64_t)entry * sizeof(state), &state, sizeof(state)) < 0 ||
	    image_read(image, address_of((unsigned int)entry) + ATTEMPT_RSP, &stack, sizeof(stack)) < 0)
		return -1;
	return state == FAST_ATTEMPT_TAKEN && stack == registers_stack(regs) ? entry : -1;
}

void attempter_free(const struct image *image, unsigned int entry)
{
	const uint32_t free_again = FAST_ATTEMPT_FREE;

	image_write(image, FAST_ATTEMPT_STATES + entry * sizeof(free_again), &free_again, sizeof(free_again));
}
