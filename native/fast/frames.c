/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Nothing lists a thread's signal frames, but they can be known: in struct sigcontext (arch/x86/include/uapi/asm/
 * sigcontext.h) the word behind rsp, rip and the flags holds the segment registers, and in 64-bit code those are always
 * the same four. A word that looks so by chance would have to lie above a word that is the address of a site.
 *
 * A handler may run on an alternate stack (sigaltstack(2)): its frame then says where the other stack goes on.
 */
#include "fast/frames.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "memory.h"

#define SEGMENTS 0x002b000000000033u /* ss, fs, gs, cs: __USER_DS, 0, 0, __USER_CS */
#define CHUNK_WORDS 8192
#define DEPTH_MOST (8u << 20) /* bytes of one stack that are looked at: the usual limit of a stack */
#define STACKS_MOST 8
#define WORD sizeof(uint64_t)

/* Words of a sigcontext, from the one with the segments. */
enum { RAX = -5, RSP = -3, RIP = -2, BEFORE = 5 };

struct walk {
	pid_t tid;
	move_function move;
	const void *context;
	uint64_t words[CHUNK_WORDS];
	uint64_t stacks[STACKS_MOST]; /* where to look yet */
	unsigned int stack_count;
};

static void add_stack(struct walk *walk, uint64_t from, uint64_t to, uint64_t pointer)
{
	if ((pointer < from || pointer >= to) && pointer % WORD == 0 && walk->stack_count < STACKS_MOST)
		walk->stacks[walk->stack_count++] = pointer;
}

static void look_at_chunk(struct walk *walk, uint64_t address, size_t count)
{
	for (size_t i = BEFORE; i < count; i++) {
		const uint64_t *at = &walk->words[i];
		uint64_t other;

		if (*at != SEGMENTS)
			continue;
		other = walk->move(walk->context, at[RIP], (int64_t)at[RAX]);
		if (other)
			memory_write_word(walk->tid, address + i * WORD + RIP * (int)WORD, other);
		add_stack(walk, address, address + count * WORD, at[RSP]);
	}
}

static void look_at_stack(struct walk *walk, uint64_t pointer)
{
	uint64_t at = pointer & ~(uint64_t)(WORD - 1), end = at + DEPTH_MOST;

	while (at < end) {
		size_t got = memory_read_mapped(walk->tid, at, walk->words, sizeof(walk->words));

		look_at_chunk(walk, at, got / WORD);
		if (got < sizeof(walk->words))
			return;
		at += sizeof(walk->words) - BEFORE * WORD; /* a context may lie across two chunks */
	}
}

bool frames_hide(const struct group *group, uint64_t begin, uint64_t end)
{
	(void)group, (void)begin, (void)end;
	return false;
}

void frames_move(pid_t tid, uint64_t stack_pointer, move_function move, const void *context)
{
	struct walk *walk = malloc(sizeof(*walk));

	if (!walk)
		return;
	walk->tid = tid;
	walk->move = move;
	walk->context = context;
	walk->stacks[0] = stack_pointer;
	walk->stack_count = 1;
	for (unsigned int i = 0; i < walk->stack_count; i++)
		look_at_stack(walk, walk->stacks[i]);
	free(walk);
}
