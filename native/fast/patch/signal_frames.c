/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Nothing lists a thread's signal frames, but they can be known: in struct sigcontext
 * (arch/x86/include/uapi/asm/sigcontext.h) the word behind rsp, rip and the flags holds the segment registers, and in
 * 64-bit code those are always the same four. A word that looks so by chance would have to lie above a word that is the
 * address of a site.
 *
 * A handler may run on an alternate stack (sigaltstack(2)): its frame then says where the other stack goes on.
 */
#include "fast/patch/signal_frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "machine/memory.h"

#define SEGMENTS 0x002b000000000033u /* ss, fs, gs, cs: __USER_DS, 0, 0, __USER_CS */
#define ROUNDS_MOST 8		     /* a frame leads to a stack, and frames there to others */
#define WORD sizeof(uint64_t)

/* Words of a sigcontext, from the one with the segments. */
enum { RAX = -5, RSP = -3, RIP = -2, BEFORE = 5 };

int signal_frames_each(const uint64_t *words, size_t count, uint64_t address,
		       int (*visit)(void *context, const struct frame *frame), void *context)
{
	int error = 0;

	for (size_t i = BEFORE; i < count && !error; i++) {
		const uint64_t *at = &words[i];

		if (*at == SEGMENTS)
			error = visit(context, &(struct frame){
						       .at = address + i * WORD + RIP * (int)WORD,
						       .instruction = at[RIP],
						       .stack = at[RSP],
						       .result = (int64_t)at[RAX],
					       });
	}
	return error;
}

struct search {
	struct stacks stacks;
	struct stack_range *seen[ROUNDS_MOST]; /* of each round, this one too */
	unsigned int seen_count[ROUNDS_MOST];
	unsigned int round;
	unsigned int looks;		      /* at what may be a frame */
	const struct stack_pointer *pointers; /* in order */
	unsigned int pointer_count;
	struct stack_pointer *others; /* where frames of this round lead to */
	unsigned int other_count;
	move_function move;
	const void *context;
	struct frames *frames;
	uint64_t tail[BEFORE]; /* the last words that were read ... */
	uint64_t tail_end;     /* ... and where they end: a context may lie across two pieces */
};

/* The thread whose stack pointer is the next below. */
static pid_t owner(const struct search *search, uint64_t address)
{
	unsigned int low = 0, high = search->pointer_count;

	while (low < high) {
		unsigned int middle = low + (high - low) / 2;

		if (search->pointers[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? search->pointers[low - 1].tid : 0;
}

static int add_frame(struct frames *frames, const struct frame *frame)
{
	/* Twice as much each time. */
	if ((frames->count & (frames->count - 1)) == 0) {
		struct frame *more = realloc(frames->list, (frames->count ? frames->count * 2 : 1) * sizeof(*more));

		if (!more)
			return -ENOMEM;
		frames->list = more;
	}
	frames->list[frames->count++] = *frame;
	return 0;
}

static bool is_in(const struct stack_range *ranges, unsigned int count, uint64_t address)
{
	unsigned int low = 0, high = count;

	while (low < high) {
		unsigned int middle = low + (high - low) / 2;

		if (ranges[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && ranges[low].begin <= address;
}

static void add_stack(struct search *search, const struct frame *frame)
{
	for (unsigned int i = 0; i <= search->round; i++)
		if (is_in(search->seen[i], search->seen_count[i], frame->stack))
			return;
	search->others[search->other_count++] = (struct stack_pointer){frame->stack, frame->tid};
}

static int look_at_frame(void *context, const struct frame *found)
{
	struct search *search = context;
	struct frame frame = *found;
	int error = 0;

	/* The program may fill its memory with what looks so. */
	if (search->looks++ == FRAMES_MOST)
		return -E2BIG;
	frame.tid = owner(search, frame.at);
	frame.to = search->move(search->context, frame.instruction, frame.result);
	if (frame.to)
		error = add_frame(search->frames, &frame);
	add_stack(search, &frame);
	return error;
}

static int look_at_piece(void *context, uint64_t address, const uint64_t *words, size_t count)
{
	struct search *search = context;
	uint64_t seam[2 * BEFORE];
	size_t first = count < BEFORE ? count : BEFORE;
	int error = 0;

	if (search->tail_end == address) {
		memcpy(seam, search->tail, sizeof(search->tail));
		memcpy(seam + BEFORE, words, first * WORD);
		error = signal_frames_each(seam, BEFORE + first, address - BEFORE * WORD, look_at_frame, search);
	}
	if (!error)
		error = signal_frames_each(words, count, address, look_at_frame, search);
	search->tail_end = 0;
	if (count >= BEFORE) {
		memcpy(search->tail, words + count - BEFORE, sizeof(search->tail));
		search->tail_end = address + count * WORD;
	}
	return error;
}

/* The stacks of these pointers. Where frames lead to others those are left in search->others. */
static int look_at_stacks(struct search *search, struct stack_pointer *pointers, unsigned int count)
{
	int error;

	search->pointers = pointers;
	search->pointer_count = count;
	search->other_count = 0;
	search->tail_end = 0;
	error = stacks_look(&search->stacks, pointers, count);
	search->seen[search->round] = search->stacks.ranges;
	search->seen_count[search->round] = search->stacks.count;
	if (!error)
		error = stacks_read(&search->stacks, look_at_piece, search);
	return error;
}

int signal_frames_find(pid_t pid, struct stack_pointer *pointers, unsigned int count, move_function move,
		       const void *context, struct frames *frames)
{
	struct stack_pointer *others = calloc(2 * FRAMES_MOST, sizeof(*others));
	struct search search = {.stacks.pid = pid, .move = move, .context = context, .frames = frames};
	int error = others ? 0 : -ENOMEM;

	*frames = (struct frames){0};
	for (; count && !error && search.round < ROUNDS_MOST; search.round++) {
		/* One half is looked at while the other is filled. */
		search.others = others + (search.round % 2 ? FRAMES_MOST : 0);
		error = look_at_stacks(&search, pointers, count);
		pointers = search.others;
		count = search.other_count;
	}
	if (!error && count)
		error = -E2BIG;
	for (unsigned int i = 0; i < ROUNDS_MOST; i++)
		free(search.seen[i]);
	free(others);
	return error;
}

int signal_frames_stands(pid_t tid, const struct frame *frame)
{
	uint64_t now[1 - RIP]; /* from the instruction pointer to the segments */
	int error = stacks_peek(tid, frame->at, now, sizeof(now));

	return error ? error : now[0] == frame->instruction && now[-RIP] == SEGMENTS;
}

bool signal_frames_put(pid_t tid, const struct frame *frame)
{
	return signal_frames_stands(tid, frame) == 1 && memory_write_word(tid, frame->at, frame->to) == 0;
}
