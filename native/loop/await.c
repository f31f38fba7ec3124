/* SPDX-License-Identifier: GPL-2.0-only
 *
 * A tracee's calls are seen only once it has stopped: a stop is where PTRACE_SYSCALL can be asked for. PTRACE_INTERRUPT
 * makes it stop, but ends its call, too (interrupt.c). So a thread that sleeps in such a call is left alone, and met
 * where the call returns to: a breakpoint (int3) is put there.
 *
 *   the thread comes back      SIGTRAP: its signal-delivery-stop is the stop; rax has the call's result
 *   a signal ends its call     that stop is it
 *   others run through there   they trap, too, and are helped on (breakpoint.c). Where that can't be, the awaited
 *                              one is interrupted and the breakpoint goes
 *
 * Where there can be none (SIGTRAP is ignored) the thread is interrupted after all, and the report says so.
 *
 * A race at the begin: the call may return between the look at it and the breakpoint. So it is looked at once more when
 * the breakpoint is there; who has gone by then is looked at anew, wherever it is.
 */
#include "loop/await.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <time.h>

#include "calls/call.h"
#include "loop/wait.h"
#include "machine/interrupt.h"
#include "machine/memory.h"
#include "machine/registers.h"
#include "process/breakpoint.h"
#include "process/tracee.h"
#include "records/emit.h"
#include "state/door.h"

#define LONG_TICKS 30
#define PATIENCE_NS (2 * NSEC_PER_SEC) /* on a machine that is so busy that a thread does not get as much */
#define PAUSE_NS 1000000
#define RUNS_NS (10 * NSEC_PER_SEC) /* who has not left the kernel by then is interrupted there */

static void block_trap(const struct tracee *tracee)
{
	uint64_t mask;

	if (!tracee->attach.trap_blocked || ptrace(PTRACE_GETSIGMASK, tracee->tid, sizeof(mask), &mask) < 0)
		return;
	mask |= 1u << (SIGTRAP - 1);
	ptrace(PTRACE_SETSIGMASK, tracee->tid, sizeof(mask), &mask);
}

/* The call that it is in is one that was entered just now, as far as anybody knows. */
static void begin_call(struct pt_tracer *t, struct tracee *tracee, const struct proc_place *place)
{
	call_begin(t, tracee, ABI_NATIVE, (uint64_t)place->number, place->args);
	tracee->call.instruction = place->instruction;
	/* A stub counts it by itself. */
	tracee->call.stage = !fast_counts_itself(t, tracee, place->instruction) && call_enter(t, tracee, true)
				     ? CALL_ENTERED
				     : CALL_OUTSIDE;
}

static void interrupt_all_the_same(struct pt_tracer *t, struct tracee *tracee, const struct proc_place *place)
{
	const struct syscall_entry *entry = place ? syscall_find(ABI_NATIVE, (uint64_t)place->number) : NULL;

	if (tracee->attach.await == AWAIT_STOP) /* who is met at a breakpoint is so until it has stopped (give_way) */
		tracee->attach.await = AWAIT_NOTHING;
	ptrace(PTRACE_INTERRUPT, tracee->tid, 0, 0);
	emit_warning(t, tracee, PT_REASON_INTERRUPTED, entry, place && !entry ? (int)place->number : 0);
}

static void meet(struct pt_tracer *t, struct tracee *tracee, const struct proc_place *place)
{
	struct breakpoint *breakpoint = breakpoint_put(t, tracee, place->instruction);
	struct proc_place now;

	if (!breakpoint) {
		interrupt_all_the_same(t, tracee, place);
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

/* group: NULL: all */
static bool is_one(const struct tracee *tracee, const struct group *group)
{
	return tracee->attach.await == AWAIT_STOP && (!group || tracee->group == group);
}

/* True: it is not dealt with yet. */
static bool look(struct pt_tracer *t, struct tracee *tracee)
{
	struct proc_place place;

	if (!tracee->attach.since) {
		tracee->attach.since = now_ns();
		interrupt_look(tracee);
	}
	switch (interrupt_gently(tracee, &place)) {
	case INTERRUPT_SENT:
		tracee->attach.await = AWAIT_NOTHING;
		break;
	case INTERRUPT_SLEEPS:
		meet(t, tracee, &place);
		break;
	case INTERRUPT_RUNS:
		break;
	}
	return tracee->attach.await == AWAIT_STOP;
}

/* Has it used the CPU in the kernel alone, for so long? A thread that makes one call after the other is in user mode
 * now and then. */
static bool is_in_long_call(const struct tracee *tracee)
{
	return proc_kernel_ticks(tracee->tid) > tracee->attach.kernel_ticks + LONG_TICKS &&
	       proc_user_ticks(tracee->tid) == tracee->attach.user_ticks;
}

/* Returns how many are not dealt with yet; undecided: one of them may run in user mode, or in a long call. */
static unsigned int look_at_all(struct pt_tracer *t, const struct group *group, bool *undecided)
{
	struct tracee *tracee;
	unsigned int left = 0;

	for_each_tracee (t, tracee)
		if (is_one(tracee, group))
			left += look(t, tracee);
	*undecided = false;
	for_each_tracee (t, tracee)
		*undecided |= is_one(tracee, group) && !is_in_long_call(tracee);
	return left;
}

void await_begin(struct pt_tracer *t, const struct group *group)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	const int64_t end = now_ns() + PATIENCE_NS;
	struct tracee *tracee;
	unsigned int left;
	bool undecided;

	do {
		left = look_at_all(t, group, &undecided);
		if (undecided)
			nanosleep(&pause, NULL);
	} while (undecided && now_ns() < end);
	if (!left)
		return;
	for_each_tracee (t, tracee) {
		if (!is_one(tracee, group) || is_in_long_call(tracee))
			continue;
		tracee->attach.await = AWAIT_NOTHING;
		ptrace(PTRACE_INTERRUPT, tracee->tid, 0, 0);
	}
	t->awaits_stops = true;
}

bool await_again(const struct pt_tracer *t, struct tracee *tracee)
{
	if (tracee->state != TRACEE_RUNNING || tracee->hold || !tracee->resumed.by_cont ||
	    tracee->attach.await == AWAIT_BREAKPOINT || wait_kept(t, tracee->tid))
		return false;
	tracee->attach.await = AWAIT_STOP;
	tracee->attach.since = 0;
	return true;
}

void await_unseen(struct pt_tracer *t, const struct group *group, const struct tracee *but)
{
	struct tracee *tracee;

	for_each_tracee (t, tracee)
		if (tracee->group == group && tracee != but && !tracee->fast.halted)
			await_again(t, tracee);
	await_begin(t, group);
}

/* A call of this thread that no stop shows? Under our filter calls stop in any case, but for those made from where it
 * lets them pass, and those that a supervisor of the program's own is asked about first (SECCOMP_RET_USER_NOTIF). */
static bool may_hide_calls(const struct pt_tracer *t, const struct tracee *tracee)
{
	return !t->filtered || tracee->closely.always || (tracee->files && tracee->files->unsure & UNSURE_SUPERVISED);
}

static void look_late(struct pt_tracer *t, struct tracee *tracee)
{
	look(t, tracee);
	/* What it did since it left that long call was not seen. */
	if (tracee->attach.await != AWAIT_STOP && may_hide_calls(t, tracee))
		emit_warning(t, tracee, PT_REASON_DETACHED, NULL, 0);
	else if (tracee->attach.await == AWAIT_STOP && now_ns() - tracee->attach.since > RUNS_NS)
		interrupt_all_the_same(t, tracee, NULL);
}

void await_tick(struct pt_tracer *t)
{
	struct tracee *tracee;

	if (!t->awaits_stops)
		return;
	t->awaits_stops = false;
	for_each_tracee (t, tracee) {
		if (tracee->attach.await == AWAIT_STOP)
			look_late(t, tracee);
		t->awaits_stops |= tracee->attach.await == AWAIT_STOP;
	}
}

static void end_call(struct pt_tracer *t, struct tracee *tracee, int64_t result)
{
	if (tracee->call.stage)
		call_exit(t, tracee, result);
	tracee->call.stage = CALL_OUTSIDE;
}

void await_stopped(struct pt_tracer *t, struct tracee *tracee, enum stop_kind kind)
{
	const bool was_met = tracee->attach.await == AWAIT_BREAKPOINT;
	struct breakpoint *breakpoint;
	struct registers regs;

	tracee->attach.await = AWAIT_NOTHING;
	if (!was_met)
		return;
	breakpoint = breakpoint_find(t, tracee->group, tracee->attach.breakpoint);
	/* A race under a filter: it did not sleep in that call, but stood before it, in this stop. */
	if (kind == STOP_SECCOMP) {
		call_take_back(t, tracee);
		tracee->call.stage = CALL_OUTSIDE;
	}
	/* program.c counts what a call has moved that death has cut short. */
	if (kind != STOP_EXITED && kind != STOP_KILLED && kind != STOP_EXIT && registers_read(tracee->tid, &regs) == 0)
		end_call(t, tracee, registers_result(&regs));
	breakpoint_release(t, breakpoint, tracee->tid);
}

/* For a thread that can't get past it. Those that it was for stop now, and are no longer awaited then. */
static void give_way(struct pt_tracer *t, pid_t tid, struct breakpoint *breakpoint)
{
	struct proc_place place;
	struct tracee *tracee;

	for_each_tracee (t, tracee)
		if (tracee->attach.await == AWAIT_BREAKPOINT && tracee->group == breakpoint->group &&
		    tracee->attach.breakpoint == breakpoint->address)
			interrupt_all_the_same(t, tracee, proc_place(tracee->tid, &place) == 1 ? &place : NULL);
	breakpoint_take_away(breakpoint, tid);
	breakpoint_drop(t, breakpoint);
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

void await_detach(struct pt_tracer *t)
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
