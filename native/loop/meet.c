/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 *   the thread comes back      SIGTRAP: its signal-delivery-stop is the stop; rax has the call's result
 *   a signal ends its call     that stop is it
 *   others run through there   they trap, too, and are helped on (breakpoint.c). Where that can't be, the one that it
 * is for is interrupted, and the breakpoint goes
 *
 * Where there can be none (SIGTRAP is ignored) the thread is interrupted after all, and the report says so.
 *
 * A race at the begin: the call may return between the look at it and the breakpoint. So it is looked at once more when
 * the breakpoint is there; who has gone by then is looked at anew, wherever it is.
 */
#include "loop/meet.h"

#include <signal.h>
#include <sys/ptrace.h>

#include "calls/call.h"
#include "machine/memory.h"
#include "machine/registers.h"
#include "process/breakpoint.h"
#include "process/tracee.h"
#include "records/emit.h"
#include "state/door.h"

static void block_trap(const struct tracee *tracee)
{
	uint64_t mask;

	if (!tracee->attach.trap_blocked || ptrace(PTRACE_GETSIGMASK, tracee->tid, sizeof(mask), &mask) < 0)
		return;
	mask |= 1u << (SIGTRAP - 1);
	ptrace(PTRACE_SETSIGMASK, tracee->tid, sizeof(mask), &mask);
}

/* What it did before is not known: it is taken to have entered its call just now. */
static void begin_call(struct pt_tracer *t, struct tracee *tracee, const struct proc_place *place)
{
	call_begin(t, tracee, ABI_NATIVE, (uint64_t)place->number, place->args);
	tracee->call.instruction = place->instruction;
	/* A stub counts it by itself. */
	tracee->call.stage = !fast_counts_itself(t, tracee, place->instruction) && call_enter(t, tracee, true)
				     ? CALL_ENTERED
				     : CALL_OUTSIDE;
}

void meet_interrupt(struct pt_tracer *t, struct tracee *tracee, const struct proc_place *place)
{
	const struct syscall_entry *entry = place ? syscall_find(ABI_NATIVE, (uint64_t)place->number) : NULL;

	if (tracee->attach.await == AWAIT_STOP) /* who is met at a breakpoint is so until it has stopped (give_way) */
		tracee->attach.await = AWAIT_NOTHING;
	ptrace(PTRACE_INTERRUPT, tracee->tid, 0, 0);
	emit_warning(t, tracee, PT_REASON_INTERRUPTED, entry, place && !entry ? (int)place->number : 0);
}

void meet(struct pt_tracer *t, struct tracee *tracee, const struct proc_place *place)
{
	struct breakpoint *breakpoint = breakpoint_put(t, tracee, place->instruction);
	struct proc_place now;

	if (!breakpoint) {
		meet_interrupt(t, tracee, place);
		return;
	}
	if (proc_place(tracee->tid, &now) != 1 || now.number != place->number ||
	    now.instruction != place->instruction) {
		breakpoint_release(t, breakpoint, tracee->tid); /* gone: it is looked at once more */
		return;
	}
	tracee->attach.await = AWAIT_BREAKPOINT;
	tracee->attach.breakpoint = place->instruction;
	begin_call(t, tracee, place);
}

static void end_call(struct pt_tracer *t, struct tracee *tracee, int64_t result)
{
	if (tracee->call.stage)
		call_exit(t, tracee, result);
	tracee->call.stage = CALL_OUTSIDE;
}

void meet_stopped(struct pt_tracer *t, struct tracee *tracee, enum stop_kind kind)
{
	struct breakpoint *breakpoint = breakpoint_find(t, tracee->group, tracee->attach.breakpoint);
	struct registers regs;

	tracee->attach.await = AWAIT_NOTHING;
	/* A race under a filter: the thread was seen to sleep "in" that call when it stood before it, in this very
	 * stop. */
	if (kind == STOP_SECCOMP) {
		call_take_back(t, tracee);
		tracee->call.stage = CALL_OUTSIDE;
	}
	/* program.c counts what a call has moved that death has cut short. */
	if (kind != STOP_EXITED && kind != STOP_KILLED && kind != STOP_EXIT && registers_read(tracee->tid, &regs) == 0)
		end_call(t, tracee, registers_result(&regs));
	breakpoint_release(t, breakpoint, tracee->tid);
}

/* This thread can't get past the breakpoint, so it goes. Those that were to be met there are interrupted instead. */
static void give_way(struct pt_tracer *t, pid_t tid, struct breakpoint *breakpoint)
{
	struct proc_place place;
	struct tracee *tracee;

	for_each_tracee (t, tracee)
		if (tracee->attach.await == AWAIT_BREAKPOINT && tracee->group == breakpoint->group &&
		    tracee->attach.breakpoint == breakpoint->address)
			meet_interrupt(t, tracee, proc_place(tracee->tid, &place) == 1 ? &place : NULL);
	breakpoint_take_away(breakpoint, tid);
	breakpoint_drop(t, breakpoint);
}

bool meet_trapped(struct pt_tracer *t, struct tracee *tracee, int signal)
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
	breakpoint = breakpoint_at(t, tracee->group, address);
	if (byte == BREAKPOINT_BYTE && !breakpoint)
		return false; /* the program's own */
	if (byte == BREAKPOINT_BYTE && !breakpoint_do_instead(tracee->tid, breakpoint, &regs))
		give_way(t, tracee->tid, breakpoint);
	if (registers_instruction(&regs) == address + 1)
		registers_set_instruction(&regs, address); /* it is gone by now */
	block_trap(tracee);
	return registers_write(tracee->tid, &regs) == 0;
}

static void give_up(struct pt_tracer *t, struct tracee *tracee)
{
	call_abandon(t, tracee);
	tracee->call.stage = CALL_OUTSIDE;
	tracee->attach.await = AWAIT_STOP; /* it has not stopped since */
}

void meet_detach(struct pt_tracer *t)
{
	struct tracee *tracee;

	for_each_tracee (t, tracee)
		if (tracee->attach.await == AWAIT_BREAKPOINT)
			give_up(t, tracee);
	while (t->breakpoints) {
		const struct tracee *any = tracee_of_group(t, t->breakpoints->group->tgid, NULL);

		if (any)
			breakpoint_take_away(t->breakpoints, any->tid);
		breakpoint_drop(t, t->breakpoints);
	}
}
