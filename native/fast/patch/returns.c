/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A handler need not end where it has begun: it may go over to another stack, and come back to its own one much later
 * (swapcontext(3); threads that a library switches by a timer's signal). Until then no stack pointer leads to its
 * frame, whose saved instruction pointer may be in the middle of what a jump replaces. So each frame that could be
 * such a one is remembered from the moment at which the kernel has built it.
 *
 * Nobody tells of a frame's end: it is gone when something else stands there.
 */
#include "fast/patch/returns.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ucontext.h>

#include "calls/restart.h"
#include "fast/image/kinds.h"
#include "fast/image/layout.h"
#include "fast/scan/sites.h"
#include "machine/memory.h"
#include "machine/registers.h"

#define RETURNS_MOST 256
#define RETURNS_MANY 192 /* if so many are under way at the same time no more are remembered */

static bool is_ours(uint64_t address)
{
	return address >= FAST_CODE && address < FAST_CODE + FAST_CODE_SIZE;
}

/* mov eax, imm32 in front of the instruction, and a call of that number is never replaced under the filter? */
static bool is_left_alone(const struct pt_tracer *t, const uint8_t *code, unsigned int at)
{
	uint32_t number;

	if (!t->filtered || at < 5 || code[at - 5] != 0xb8)
		return false;
	memcpy(&number, code + at - 4, sizeof(number));
	return !kinds_replaced(number);
}

/* The code around an address. in_call: a syscall instruction has been executed right before it. So its page is there,
 * and nobody has to look, which costs more than to read. (But for a program that gives the page back at that moment:
 * the race of presence.c.) */
static int read_code(pid_t tid, uint64_t address, bool in_call, uint8_t *code, size_t size)
{
	const uint64_t first = address - SITE_BYTES;

	if (in_call && first / MEMORY_PAGE == (first + size - 1) / MEMORY_PAGE)
		return memory_read_present(tid, first, code, size);
	return stacks_peek(tid, first, code, size);
}

/* Is a syscall instruction so near that a range which is replaced with it could hold this address? */
static bool is_near_call(const struct pt_tracer *t, pid_t tid, uint64_t address, bool in_call)
{
	uint8_t code[2 * SITE_BYTES + 2];

	if (read_code(tid, address, in_call, code, sizeof(code)) < 0)
		return true; /* nobody can tell: the end of a mapping, perhaps */
	for (unsigned int i = 0; i + 1 < sizeof(code); i++)
		if (code[i] == 0x0f && code[i + 1] == 0x05 && !is_left_alone(t, code, i))
			return true;
	return false;
}

bool returns_wanted(const struct pt_tracer *t, const struct tracee *tracee, int signal)
{
	const struct group *group = tracee->group;
	struct registers regs;

	return t->options.fast && !t->detaching && group->counted && !group->fast.slow && !group->fast.returns.lost &&
	       !tracee->fresh && registers_read(tracee->tid, &regs) == 0 && !registers_compat(&regs) &&
	       !is_ours(registers_instruction(&regs)) &&
	       is_near_call(t, tracee->tid, registers_instruction(&regs), (int64_t)registers_number(&regs) >= 0) &&
	       restart_has_handler(tracee->tid, signal);
}

static void lose(struct group *group)
{
	group->fast.returns.lost = true;
	free(group->fast.returns.list);
	group->fast.returns.list = NULL;
	group->fast.returns.count = 0;
}

static void drop(struct group *group, unsigned int i)
{
	group->fast.returns.list[i] = group->fast.returns.list[--group->fast.returns.count];
}

static void add(struct group *group, const struct frame *frame)
{
	for (unsigned int i = 0; i < group->fast.returns.count; i++)
		if (group->fast.returns.list[i].at == frame->at)
			return (void)(group->fast.returns.list[i] = *frame);
	if (!group->fast.returns.list)
		group->fast.returns.list = calloc(RETURNS_MOST, sizeof(*group->fast.returns.list));
	if (!group->fast.returns.list)
		return lose(group);
	if (group->fast.returns.count == RETURNS_MOST) {
		for (unsigned int i = RETURNS_MOST; i-- > 0;)
			if (signal_frames_stands(frame->tid, &group->fast.returns.list[i]) == 0)
				drop(group, i);
		if (group->fast.returns.count > RETURNS_MANY)
			return lose(group);
	}
	group->fast.returns.list[group->fast.returns.count++] = *frame;
}

void returns_built(struct tracee *tracee, int signal)
{
	/* pthread_cancel(3): the handler unwinds the stack from where the thread stood. */
	struct frame frame = {
		.tid = tracee->tid,
		.looked_at = signal == SIGNAL_CANCEL || signal == SIGNAL_CANCEL_MUSL,
	};
	struct registers regs;
	uint64_t instruction;

	if (registers_read(tracee->tid, &regs) < 0 || !registers_context(&regs))
		return;
	frame.at = registers_context(&regs) + offsetof(ucontext_t, uc_mcontext.gregs[REG_RIP]);
	if (stacks_peek(tracee->tid, frame.at, &instruction, sizeof(instruction)) < 0)
		return lose(tracee->group);
	frame.instruction = instruction;
	if (is_ours(instruction))
		return;
	/* Segments of its own: it could not be told from other data later. */
	if (signal_frames_stands(tracee->tid, &frame) != 1)
		return lose(tracee->group);
	add(tracee->group, &frame);
}

unsigned int returns_move(struct group *group, pid_t tid, move_function move, const void *context)
{
	unsigned int moved = 0;

	for (unsigned int i = group->fast.returns.count; i-- > 0;) {
		struct frame *frame = &group->fast.returns.list[i];

		frame->to = move(context, frame->instruction, 0);
		if (!frame->to || frame->looked_at)
			continue;
		moved += signal_frames_put(tid, frame);
		drop(group, i);
	}
	return moved;
}

bool returns_hide(const struct group *group, uint64_t begin, uint64_t end)
{
	for (unsigned int i = 0; i < group->fast.returns.count; i++) {
		const struct frame *frame = &group->fast.returns.list[i];
		int stands;

		if (frame->instruction <= begin || frame->instruction >= end)
			continue;
		stands = signal_frames_stands(frame->tid, frame);
		if (stands == -EBUSY || (stands == 1 && frame->looked_at))
			return true;
	}
	return group->fast.returns.lost;
}

void returns_end(struct group *group, pid_t tid)
{
	for (unsigned int i = group->fast.returns.count; i-- > 0;) {
		struct frame *frame = &group->fast.returns.list[i];

		if (frame->tid != tid)
			continue;
		if (frame->looked_at)
			drop(group, i);
		else
			frame->tid = group->tgid;
	}
}

void returns_copy(struct group *child, const struct group *parent)
{
	child->fast.returns.lost = parent->fast.returns.lost;
	if (!parent->fast.returns.count)
		return;
	child->fast.returns.list = calloc(RETURNS_MOST, sizeof(*child->fast.returns.list));
	if (!child->fast.returns.list)
		return lose(child);
	for (unsigned int i = 0; i < parent->fast.returns.count; i++) {
		child->fast.returns.list[i] = parent->fast.returns.list[i];
		child->fast.returns.list[i].tid = child->tgid;
	}
	child->fast.returns.count = parent->fast.returns.count;
}

void returns_forget(struct group *group)
{
	free(group->fast.returns.list);
	group->fast.returns.list = NULL;
	group->fast.returns.count = 0;
	group->fast.returns.lost = group->fast.returns.taken = false;
}
