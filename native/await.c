/* SPDX-License-Identifier: GPL-2.0-only
 *
 * A tracee's calls are seen only once it has stopped: a stop is where PTRACE_SYSCALL can be asked for. PTRACE_INTERRUPT
 * makes it stop, but ends its call, too (interrupt.c). So a thread that sleeps in such a call is left alone, and met
 * where the call returns to: a breakpoint (int3) is put there.
 *
 *   the thread comes back      SIGTRAP: its signal-delivery-stop is the stop; rax has the call's result
 *   a signal ends its call     that stop is it
 *   others run through there   they trap, too. What the breakpoint has replaced is done for them, for to take it away
 * for a moment would let the awaited one slip through. That can be done of cmp rax, imm32 and of ret, which is what
 * stands behind most calls. Behind others the awaited one is interrupted then, and the breakpoint goes
 *
 * Where it can't be so (SIGTRAP ignored: await_may_trap())
 * the thread is interrupted after all, and the report says so.
 *
 * A race at the begin: the call may return between the look at it and the breakpoint. So it is looked at once more when
 * the breakpoint is there; who has gone by then is looked at anew, wherever it is.
 */
#include "await.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <time.h>

#include "call.h"
#include "emit.h"
#include "fast/fast.h"
#include "interrupt.h"
#include "memory.h"
#include "registers.h"
#include "tracee.h"
#include "wait.h"

#define INT3 0xcc
#define CODE_SIZE 6		 /* of cmp rax, imm32 */
#define LONG_TICKS 2		 /* of CPU time, without any in user mode */
#define PATIENCE_NS NSEC_PER_SEC /* on a machine that is so busy that a thread does not get as much */
#define PAUSE_NS 1000000
#define RUNS_NS (10 * NSEC_PER_SEC) /* who has not left the kernel by then is interrupted there */

struct breakpoint {
	struct breakpoint *next;
	const struct group *group;
	uint64_t address;
	uint8_t code[CODE_SIZE]; /* what stands there, without it */
	unsigned int awaited;	 /* threads */
};

static struct breakpoint *find(const struct pt_tracer *t, const struct group *group, uint64_t address)
{
	struct breakpoint *one = t->breakpoints;

	while (one && (one->group != group || one->address != address))
		one = one->next;
	return one;
}

bool await_any(const struct pt_tracer *t, const struct group *group)
{
	for (const struct breakpoint *one = t->breakpoints; one; one = one->next)
		if (one->group == group)
			return true;
	return false;
}

static void drop(struct pt_tracer *t, struct breakpoint *breakpoint)
{
	struct breakpoint **at = &t->breakpoints;

	while (*at != breakpoint)
		at = &(*at)->next;
	*at = breakpoint->next;
	free(breakpoint);
}

static void take_away(const struct breakpoint *breakpoint, pid_t tid)
{
	uint8_t byte;

	if (memory_read(tid, breakpoint->address, &byte, sizeof(byte)) == 0 && byte == INT3)
		memory_write_code(tid, breakpoint->address, breakpoint->code, 1);
}

/* One thread less waits for it. tid: a tracee of the process. */
static void release(struct pt_tracer *t, struct breakpoint *breakpoint, pid_t tid)
{
	if (!breakpoint || --breakpoint->awaited)
		return;
	take_away(breakpoint, tid); /* of a dead process there is nothing to take away */
	drop(t, breakpoint);
}

static bool is_easy(const uint8_t code[CODE_SIZE])
{
	return (code[0] == 0x48 && code[1] == 0x3d) || code[0] == 0xc3;
}

/* What the instruction under the breakpoint would have done. */
static bool do_instead(pid_t tid, const struct breakpoint *breakpoint, struct registers *regs)
{
	uint64_t to = breakpoint->address + CODE_SIZE;
	int32_t operand;

	if (!is_easy(breakpoint->code))
		return false;
	if (breakpoint->code[0] == 0xc3) {
		if (memory_read(tid, registers_stack(regs), &to, sizeof(to)) < 0)
			return false;
		registers_set_stack(regs, registers_stack(regs) + sizeof(to));
	} else {
		memcpy(&operand, breakpoint->code + 2, sizeof(operand));
		registers_compare(regs, operand);
	}
	registers_set_instruction(regs, to);
	return true;
}

/* The kernel forces the signal on a thread that has it blocked or ignored (force_sig_info_to_task() of
 * kernel/signal.c): it unblocks it, which can be mended, and the default disposition replaces the program's own, which
 * can't. */
bool await_may_trap(struct tracee *tracee)
{
	const uint64_t trap = 1u << (SIGTRAP - 1);
	const int64_t blocked = proc_status(tracee->tid, "SigBlk:", 16),
		      caught = proc_status(tracee->tid, "SigCgt:", 16),
		      ignored = proc_status(tracee->tid, "SigIgn:", 16);

	tracee->trap_blocked = (uint64_t)blocked & trap;
	return !((uint64_t)ignored & trap) && !(tracee->trap_blocked && (uint64_t)caught & trap);
}

static void block_trap(const struct tracee *tracee)
{
	uint64_t mask;

	if (!tracee->trap_blocked || ptrace(PTRACE_GETSIGMASK, tracee->tid, sizeof(mask), &mask) < 0)
		return;
	mask |= 1u << (SIGTRAP - 1);
	ptrace(PTRACE_SETSIGMASK, tracee->tid, sizeof(mask), &mask);
}

struct trapping {
	const struct group *group;
	bool all;
};

static void may_trap(struct pt_tracer *t, struct tracee *tracee, void *context)
{
	struct trapping *trapping = context;

	(void)t;
	if (tracee->group == trapping->group)
		trapping->all &= await_may_trap(tracee);
}

/* Others may run through the breakpoint. */
static bool all_may_trap(struct pt_tracer *t, const struct group *group)
{
	struct trapping trapping = {group, true};

	tracee_each(t, may_trap, &trapping);
	return trapping.all;
}

static struct breakpoint *put(struct pt_tracer *t, struct tracee *tracee, uint64_t address)
{
	struct breakpoint *one = find(t, tracee->group, address);
	const uint8_t int3 = INT3;
	if (one ? !await_may_trap(tracee) : !all_may_trap(t, tracee->group))
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

/* The call that it is in is one that was entered just now, as far as anybody knows. */
static void begin_call(struct pt_tracer *t, struct tracee *tracee, const struct proc_place *place)
{
	call_begin(t, tracee, ABI_NATIVE, (uint64_t)place->number, place->args);
	/* A stub counts it by itself. */
	tracee->entered = !fast_counts_itself(tracee, place->instruction) && call_enter(t, tracee, true);
}

static void interrupt_all_the_same(struct pt_tracer *t, struct tracee *tracee, const struct proc_place *place)
{
	const struct syscall_entry *entry = place ? syscall_find(ABI_NATIVE, (uint64_t)place->number) : NULL;

	tracee->seized = false;
	ptrace(PTRACE_INTERRUPT, tracee->tid, 0, 0);
	emit_warning(t, tracee, PT_REASON_INTERRUPTED, entry, place && !entry ? (int)place->number : 0);
}

static void meet(struct pt_tracer *t, struct tracee *tracee, const struct proc_place *place)
{
	struct breakpoint *breakpoint = put(t, tracee, place->instruction);
	struct proc_place now;

	if (!breakpoint) {
		interrupt_all_the_same(t, tracee, place);
		return;
	}
	if (proc_place(tracee->tid, &now) != 1 || now.number != place->number ||
	    now.instruction != place->instruction) {
		release(t, breakpoint, tracee->tid); /* gone: it is looked at once more */
		return;
	}
	tracee->seized = false;
	tracee->awaited = true;
	tracee->awaited_at = place->instruction;
	begin_call(t, tracee, place);
}

struct round {
	const struct group *group;
	unsigned int left; /* threads that are not dealt with yet */
	bool undecided;	   /* one of them may run in user mode, or in a long call */
};

static void look(struct pt_tracer *t, struct tracee *tracee, void *context)
{
	struct round *round = context;
	struct proc_place place;

	if (tracee->group != round->group || !tracee->seized)
		return;
	if (!tracee->seized_at) {
		tracee->seized_at = now_ns();
		tracee->user_ticks = proc_user_ticks(tracee->tid);
	}
	switch (interrupt_gently(tracee, tracee->user_ticks, &place)) {
	case INTERRUPT_SENT:
		tracee->seized = false;
		break;
	case INTERRUPT_SLEEPS:
		meet(t, tracee, &place);
		break;
	case INTERRUPT_RUNS:
		break;
	}
	round->left += tracee->seized;
}

/* Has it used the CPU in the kernel alone meanwhile? Or did it not get it: then it may be anywhere. */
static bool is_in_long_call(const struct tracee *tracee)
{
	return proc_kernel_ticks(tracee->tid) > tracee->kernel_ticks + LONG_TICKS;
}

static void look_last(struct pt_tracer *t, struct tracee *tracee, void *context)
{
	struct round *round = context;

	(void)t;
	if (tracee->group != round->group || !tracee->seized || is_in_long_call(tracee))
		return;
	tracee->seized = false;
	ptrace(PTRACE_INTERRUPT, tracee->tid, 0, 0);
}

static void is_undecided(struct pt_tracer *t, struct tracee *tracee, void *context)
{
	struct round *round = context;

	(void)t;
	round->undecided |= tracee->group == round->group && tracee->seized && !is_in_long_call(tracee);
}

static void note_ticks(struct pt_tracer *t, struct tracee *tracee, void *context)
{
	(void)t, (void)context;
	if (tracee->seized)
		tracee->kernel_ticks = proc_kernel_ticks(tracee->tid);
}

void await_begin(struct pt_tracer *t, const struct group *group)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	const int64_t end = now_ns() + PATIENCE_NS;
	struct round round = {.group = group};
	bool noted = false;

	for (;;) {
		round.left = 0;
		tracee_each(t, look, &round);
		round.undecided = false;
		tracee_each(t, is_undecided, &round);
		if (!round.left || (noted && !round.undecided) || now_ns() > end)
			break;
		if (!noted)
			tracee_each(t, note_ticks, NULL);
		noted = true;
		nanosleep(&pause, NULL);
	}
	if (!round.left)
		return;
	tracee_each(t, look_last, &round);
	t->seized = true;
}

struct unseen {
	const struct group *group;
	const struct tracee *but;
};

static void seize_again(struct pt_tracer *t, struct tracee *tracee, void *context)
{
	const struct unseen *unseen = context;

	(void)t;
	if (tracee->group != unseen->group || tracee == unseen->but || !tracee->continues || tracee->halted ||
	    tracee->exiting || tracee->state != TRACEE_RUNNING || tracee->awaited || wait_kept(t, tracee->tid))
		return;
	tracee->seized = true;
	tracee->seized_at = 0;
}

void await_unseen(struct pt_tracer *t, const struct group *group, const struct tracee *but)
{
	struct unseen unseen = {group, but};

	tracee_each(t, seize_again, &unseen);
	await_begin(t, group);
}

static void look_late(struct pt_tracer *t, struct tracee *tracee, void *context)
{
	struct round round = {.group = tracee->group};

	if (!tracee->seized)
		return;
	look(t, tracee, &round);
	/* What it did since it left that long call was not seen. */
	if (!tracee->seized)
		emit_warning(t, tracee, PT_REASON_DETACHED, NULL, 0);
	else if (now_ns() - tracee->seized_at > RUNS_NS)
		interrupt_all_the_same(t, tracee, NULL);
	*(bool *)context |= tracee->seized;
}

void await_tick(struct pt_tracer *t)
{
	bool left = false;

	if (!t->seized)
		return;
	tracee_each(t, look_late, &left);
	t->seized = left;
}

static void end_call(struct pt_tracer *t, struct tracee *tracee, int64_t result)
{
	if (tracee->entered)
		call_exit(t, tracee, result);
	tracee->entered = false;
}

void await_stopped(struct pt_tracer *t, struct tracee *tracee, enum stop_kind kind)
{
	struct breakpoint *breakpoint;
	struct registers regs;

	tracee->seized = false;
	if (!tracee->awaited)
		return;
	tracee->awaited = false;
	breakpoint = find(t, tracee->group, tracee->awaited_at);
	/* program.c counts what a call has moved that death has cut short. */
	if (kind != STOP_EXITED && kind != STOP_KILLED && kind != STOP_EXIT && registers_read(tracee->tid, &regs) == 0)
		end_call(t, tracee, registers_result(&regs));
	release(t, breakpoint, tracee->tid);
}

/* A child of vfork, or of clone with CLONE_VM, has them in its memory, too, and is another group. */
static struct breakpoint *at_address(const struct pt_tracer *t, const struct group *group, uint64_t address)
{
	struct breakpoint *one = find(t, group, address);

	for (struct breakpoint *other = t->breakpoints; other && !one; other = other->next)
		if (other->address == address)
			one = other;
	return one;
}

static void interrupt_awaited(struct pt_tracer *t, struct tracee *tracee, void *context)
{
	const struct breakpoint *breakpoint = context;
	struct proc_place place;

	if (!tracee->awaited || tracee->group != breakpoint->group || tracee->awaited_at != breakpoint->address)
		return;
	interrupt_all_the_same(t, tracee, proc_place(tracee->tid, &place) == 1 ? &place : NULL);
}

/* For a thread that can't get past it. Those that it was for stop now, and are no longer awaited then. */
static void give_way(struct pt_tracer *t, pid_t tid, struct breakpoint *breakpoint)
{
	tracee_each(t, interrupt_awaited, breakpoint);
	take_away(breakpoint, tid);
	drop(t, breakpoint);
}

bool await_trapped(struct pt_tracer *t, struct tracee *tracee, int signal)
{
	struct breakpoint *breakpoint;
	struct registers regs;
	uint64_t address;
	siginfo_t info;
	uint8_t byte;

	/* do_int3() of arch/x86/kernel/traps.c sends it as the kernel's own. */
	if (signal != SIGTRAP || !t->traps || ptrace(PTRACE_GETSIGINFO, tracee->tid, 0, &info) < 0 ||
	    info.si_code != SI_KERNEL || registers_read(tracee->tid, &regs) < 0)
		return false;
	address = registers_instruction(&regs) - 1;
	if (memory_read(tracee->tid, address, &byte, sizeof(byte)) < 0)
		return false;
	breakpoint = at_address(t, tracee->group, address);
	if (byte == INT3 && !breakpoint)
		return false; /* the program's own */
	if (byte == INT3 && !do_instead(tracee->tid, breakpoint, &regs))
		give_way(t, tracee->tid, breakpoint);
	if (registers_instruction(&regs) == address + 1)
		registers_set_instruction(&regs, address); /* it is gone by now */
	block_trap(tracee);
	return registers_write(tracee->tid, &regs) == 0;
}

static bool has_trap(pid_t tid, const struct breakpoint *breakpoint)
{
	uint8_t now[CODE_SIZE];

	return memory_read(tid, breakpoint->address, now, sizeof(now)) == 0 && now[0] == INT3 &&
	       memcmp(now + 1, breakpoint->code + 1, sizeof(now) - 1) == 0;
}

void await_forked(struct pt_tracer *t, pid_t child)
{
	for (const struct breakpoint *one = t->breakpoints; one; one = one->next)
		if (has_trap(child, one))
			memory_write_code(child, one->address, one->code, 1);
}

void await_end(struct pt_tracer *t, const struct group *group)
{
	for (struct breakpoint *one = t->breakpoints, *next; one; one = next) {
		next = one->next;
		if (one->group == group)
			drop(t, one);
	}
}

static void give_up(struct pt_tracer *t, struct tracee *tracee, void *context)
{
	(void)context;
	if (!tracee->awaited)
		return;
	call_abandon(t, tracee);
	tracee->awaited = tracee->entered = false;
	tracee->seized = true; /* it has not stopped since */
}

void await_detach(struct pt_tracer *t)
{
	tracee_each(t, give_up, NULL);
	while (t->breakpoints) {
		const struct tracee *any = tracee_of_group(t, t->breakpoints->group->tgid, NULL);

		if (any)
			take_away(t->breakpoints, any->tid);
		drop(t, t->breakpoints);
	}
}

void await_hide(const struct pt_tracer *t, const struct group *group, uint64_t begin, uint8_t *code, size_t size)
{
	for (const struct breakpoint *one = t->breakpoints; one; one = one->next)
		if (one->group == group && one->address >= begin && one->address - begin < size)
			code[one->address - begin] = one->code[0];
}
