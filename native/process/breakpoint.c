/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * int3 in a tracee's code: a thread that comes to it stops by SIGTRAP. Threads that are not meant come there, too. To
 * take it away for a moment would let slip through those that are; so for the others the instruction that it has
 * replaced is done by hand: cmp rax, imm32, ret, neg eax or a mov between registers, which is what stands behind most
 * calls.
 */
#include "process/breakpoint.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>

#include "machine/memory.h"
#include "machine/proc.h"
#include "process/tracees.h"

struct breakpoint *breakpoint_find(const struct pt_tracer *t, const struct group *group, uint64_t address)
{
	struct breakpoint *one = t->breakpoints;

	while (one && (one->group != group || one->address != address))
		one = one->next;
	return one;
}

bool breakpoint_any(const struct pt_tracer *t, const struct group *group)
{
	for (const struct breakpoint *one = t->breakpoints; one; one = one->next)
		if (one->group == group)
			return true;
	return false;
}

void breakpoint_drop(struct pt_tracer *t, struct breakpoint *breakpoint)
{
	struct breakpoint **at = &t->breakpoints;

	while (*at != breakpoint)
		at = &(*at)->next;
	*at = breakpoint->next;
	free(breakpoint);
}

void breakpoint_take_away(const struct breakpoint *breakpoint, pid_t tid)
{
	uint8_t byte;

	if (memory_read(tid, breakpoint->address, &byte, sizeof(byte)) == 0 && byte == BREAKPOINT_BYTE)
		memory_write_code(tid, breakpoint->address, breakpoint->code, 1);
}

/* One thread less waits for it. tid: a tracee of the process. */
void breakpoint_release(struct pt_tracer *t, struct breakpoint *breakpoint, pid_t tid)
{
	if (!breakpoint || --breakpoint->awaited)
		return;
	breakpoint_take_away(breakpoint, tid); /* of a dead process there is nothing to take away */
	breakpoint_drop(t, breakpoint);
}

/* mov r/m, r between registers: Intel's manual, volume 2, MOV (89 /r) and 2.2.1 (REX). */
static int do_move(const uint8_t *code, struct registers *regs, uint64_t *to)
{
	const uint8_t rex = (*code & 0xf0) == 0x40 ? *code++ : 0, modrm = code[1];

	if (code[0] != 0x89 || modrm >> 6 != 3)
		return -ENOTSUP;
	registers_move(regs, (unsigned int)(modrm & 7) | (rex & 1u) << 3,
		       (unsigned int)(modrm >> 3 & 7) | (rex & 4u) << 1, rex & 8);
	*to += rex ? 3 : 2;
	return 0;
}

/* What the instruction there would have done: 0, and its length; -ENOTSUP. */
static int do_easy(pid_t tid, const uint8_t code[BREAKPOINT_CODE], struct registers *regs, uint64_t *to)
{
	int32_t operand;

	if (code[0] == 0xc3) { /* ret */
		if (memory_read(tid, registers_stack(regs), to, sizeof(*to)) < 0)
			return -EFAULT;
		registers_set_stack(regs, registers_stack(regs) + sizeof(*to));
	} else if (code[0] == 0x48 && code[1] == 0x3d) { /* cmp rax, imm32 */
		memcpy(&operand, code + 2, sizeof(operand));
		registers_compare(regs, operand);
		*to += 6;
	} else if (code[0] == 0xf7 && code[1] == 0xd8) { /* neg eax */
		registers_negate(regs);
		*to += 2;
	} else {
		return do_move(code, regs, to);
	}
	return 0;
}

bool breakpoint_do_instead(pid_t tid, const struct breakpoint *breakpoint, struct registers *regs)
{
	uint64_t to = breakpoint->address;

	if (do_easy(tid, breakpoint->code, regs, &to) < 0)
		return false;
	registers_set_instruction(regs, to);
	return true;
}

/* The kernel forces the signal on a thread that has it blocked or ignored (force_sig_info_to_task() of
 * kernel/signal.c): it unblocks it, which can be mended, and the default disposition replaces the program's own, which
 * can't. */
bool breakpoint_may_trap(struct tracee *tracee)
{
	const uint64_t trap = 1u << (SIGTRAP - 1);
	const int64_t blocked = proc_status(tracee->tid, "SigBlk:", 16),
		      caught = proc_status(tracee->tid, "SigCgt:", 16),
		      ignored = proc_status(tracee->tid, "SigIgn:", 16);

	tracee->attach.trap_blocked = (uint64_t)blocked & trap;
	return !((uint64_t)ignored & trap) && !(tracee->attach.trap_blocked && (uint64_t)caught & trap);
}

/* Any thread of the process may run through the breakpoint. Of each it is noted whether it has SIGTRAP blocked. */
static bool all_may_trap(struct pt_tracer *t, const struct group *group)
{
	struct tracee *tracee;
	bool all = true;

	for_each_tracee (t, tracee)
		if (tracee->group == group)
			all &= breakpoint_may_trap(tracee);
	return all;
}

struct breakpoint *breakpoint_put(struct pt_tracer *t, struct tracee *tracee, uint64_t address)
{
	struct breakpoint *one = breakpoint_find(t, tracee->group, address);
	const uint8_t int3 = BREAKPOINT_BYTE;

	if (!BREAKPOINTS)
		return NULL;
	if (one ? !breakpoint_may_trap(tracee) : !all_may_trap(t, tracee->group))
		return NULL;
	if (!one) {
		one = calloc(1, sizeof(*one));
		if (!one)
			return NULL;
		*one = (struct breakpoint){.next = t->breakpoints, .group = tracee->group, .address = address};
		if (memory_read(tracee->tid, address, one->code, sizeof(one->code)) < 0 ||
		    memory_write_code(tracee->tid, address, &int3, sizeof(int3)) < 0) {
			free(one);
			return NULL;
		}
		t->breakpoints = one;
		t->traps = true;
	}
	one->awaited++;
	return one;
}

/* A child of vfork, or of clone with CLONE_VM, has them in its memory, too, and is another group. */
struct breakpoint *breakpoint_at(const struct pt_tracer *t, const struct group *group, uint64_t address)
{
	struct breakpoint *one = breakpoint_find(t, group, address);

	for (struct breakpoint *other = t->breakpoints; other && !one; other = other->next)
		if (other->address == address)
			one = other;
	return one;
}

static bool has_trap(pid_t tid, const struct breakpoint *breakpoint)
{
	uint8_t now[BREAKPOINT_CODE];

	return memory_read(tid, breakpoint->address, now, sizeof(now)) == 0 && now[0] == BREAKPOINT_BYTE &&
	       memcmp(now + 1, breakpoint->code + 1, sizeof(now) - 1) == 0;
}

void breakpoint_forked(struct pt_tracer *t, pid_t child)
{
	for (const struct breakpoint *one = t->breakpoints; one; one = one->next)
		if (has_trap(child, one))
			memory_write_code(child, one->address, one->code, 1);
}

void breakpoint_end(struct pt_tracer *t, const struct group *group)
{
	for (struct breakpoint *one = t->breakpoints, *next; one; one = next) {
		next = one->next;
		if (one->group == group)
			breakpoint_drop(t, one);
	}
}

void breakpoint_hide(const struct pt_tracer *t, const struct group *group, uint64_t begin, uint8_t *code, size_t size)
{
	for (const struct breakpoint *one = t->breakpoints; one; one = one->next)
		if (one->group == group && one->address >= begin && one->address - begin < size)
			code[one->address - begin] = one->code[0];
}
