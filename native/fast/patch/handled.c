/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A handler may leave its stack (swapcontext(3)) and come back to it much later, perhaps in another thread: a program
 * that schedules its own threads does. Its frame lies on a stack then that nobody stands on, and that signal_frames.c
 * does not know. So it is remembered where handlers have begun whose frames lead to stubs or twins. The kernel puts a
 * frame right below where the thread's stack ended (on an alternate stack it is not looked for).
 *
 * When a handler has returned its frame is still there, until something is put over it: but then the thread stands on
 * that stack again, above it.
 */
#include "fast/patch/handled.h"

#include <stdlib.h>

#include "fast/image/layout.h"
#include "machine/memory.h"

#define HANDLED_MOST 256
#define FRAME_SIZE 16384 /* bytes of one at most: the registers of the vector units are in it */
#define NEAR 32768
#define SEGMENTS 0x002b000000000033u /* as in signal_frames.c */

void handled_note(struct image *image, pid_t tid, const struct registers *regs)
{
	const struct fast_handled one = {registers_stack(regs), tid};
	struct fast_handled *more;

	if (registers_instruction(regs) < FAST_CODE || registers_instruction(regs) >= FAST_END)
		return;
	for (unsigned int i = 0; i < image->handled.count; i++)
		if (image->handled.list[i].stack == one.stack && image->handled.list[i].tid == one.tid)
			return;
	more = image->handled.count < HANDLED_MOST
		       ? realloc(image->handled.list, (image->handled.count + 1) * sizeof(*more))
		       : NULL;
	if (!more) {
		image->handled.lost = true;
		return;
	}
	image->handled.list = more;
	more[image->handled.count++] = one;
}

/* The address of the frame's end, or 0. */
static uint64_t find_frame(const struct image *image, uint64_t stack)
{
	uint64_t words[FRAME_SIZE / sizeof(uint64_t)], begin = (stack & ~(uint64_t)7) - sizeof(words);

	if (stack < sizeof(words) || memory_read(image->reader, begin, words, sizeof(words)) < 0)
		return stack; /* it can't be told */
	for (unsigned int i = 2; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i] == SEGMENTS && words[i - 2] >= FAST_CODE && words[i - 2] < FAST_END)
			return begin + i * sizeof(words[0]);
	return 0;
}

bool handled_may_return(const struct image *image)
{
	if (image->handled.lost)
		return true;
	for (unsigned int i = 0; i < image->handled.count; i++) {
		const struct fast_handled *one = &image->handled.list[i];
		uint64_t frame = find_frame(image, one->stack);
		struct registers regs;

		if (!frame)
			continue;
		/* Of one that is gone the stack has an end, too. */
		if (registers_read(one->tid, &regs) < 0)
			continue;
		if (registers_stack(&regs) <= frame || registers_stack(&regs) > one->stack + NEAR)
			return true;
	}
	return false;
}
