/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A call is seen first at one of two stops: at a seccomp-stop, where our filter wants to have it seen, or at a
 * syscall-entry-stop, where every call of the thread stops (PTRACE_SYSCALL). There it is decided what is made: the call
 * itself; a question instead of it (calls/question.c), after which it comes here again; or nothing, and the thread goes
 * back to before the call's instruction. Its end is seen at a syscall-exit-stop, where anybody has asked for that.
 */
#include "loop/call_stop.h"

#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>

#include "calls/call.h"
#include "calls/dry.h"
#include "calls/filter.h"
#include "calls/question.h"
#include "calls/restart.h"
#include "calls/sandbox.h"
#include "calls/watch.h"
#include "loop/closely.h"
#include "loop/detach.h"
#include "loop/program.h"
#include "loop/wait.h"
#include "machine/registers.h"
#include "records/emit.h"
#include "sockets/closing.h"
#include "state/door.h"

/* What the kernel says of the call at this stop. False: nothing is known, and *next is what follows.
 *
 * It may be in that stop no longer (process/overtaken.h): then it is left alone, and a call that has moved bytes is
 * counted at its exit. */
static bool read_syscall_info(struct pt_tracer *t, struct tracee *tracee, struct __ptrace_syscall_info *info,
			      enum next *next)
{
	*next = NEXT_STAY;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, tracee->tid, sizeof(*info), info) > 0) {
		if (info->op == PTRACE_SYSCALL_INFO_NONE)
			return false;
		tracee->call.instruction = tracee->resumed.from = info->instruction_pointer;
		program_undecoded(t, tracee, info->arch);
		return true;
	}
	if (errno != ESRCH) {
		emit_warning(t, tracee, PT_REASON_UNREADABLE, NULL, errno);
		*next = NEXT_RESUME;
	}
	return false;
}

static void enter(struct pt_tracer *t, struct tracee *tracee, uint32_t arch, uint64_t number, const uint64_t args[6])
{
	enum abi abi = abi_of(arch);

	if (abi == ABI_X86_64 && number & X32_SYSCALL_BIT && number != (uint64_t)-1) {
		emit_warning(t, tracee, PT_REASON_X32, NULL, 0);
		return;
	}
	if (tracee->sandbox == SANDBOX_STRICT && !sandbox_check_strict(tracee, abi, number))
		return;
	call_begin(t, tracee, abi, number, args);
	fast_enters(t, tracee);
	/* Until its close is over no answer about that fd holds (question.c), so its end is wanted. */
	tracee->call.stage = watch_enter(t, tracee) || (tracee->closing.on && tracee->group->hidden) ? CALL_ENTERED
												     : CALL_OUTSIDE;
	closely_before(t, tracee);
}

/* It goes on, unless it is to stay where it is, or is let go. */
static enum next onward(struct pt_tracer *t, struct tracee *tracee)
{
	/* It may have gone on to another stop already, which waits for its turn (fast/patch/inject.c). */
	if (tracee->hold || tracee->group->waiting == tracee || wait_kept(t, tracee->tid))
		return NEXT_STAY;
	return detach_here(t, tracee) ? NEXT_LET_GO : NEXT_RESUME;
}

/* A thread that was sent PTRACE_INTERRUPT has stopped before a call instead. The stop has taken the request away, but
 * the kernel still thinks that a signal is there (TIF_SIGPENDING; recalc_sigpending_tsk() of kernel/signal.c never
 * clears it): the call would be cut short. So it is not made now; the thread goes back to before the instruction, which
 * clears that. */
static void back_before(const struct tracee *tracee, uint64_t number, uint64_t argument, bool compat)
{
	struct registers regs;

	if (registers_read(tracee->tid, &regs) < 0)
		return;
	registers_set_argument(&regs, argument, compat); /* aarch64: the result has taken its place */
	registers_restart(&regs, (int64_t)number);
	registers_set_number(tracee->tid, &regs, -1);
}

/* The same at a syscall-entry-stop. The program's own filters have not judged the call yet, so something else is made
 * instead of it (sandbox.c), and the thread goes back when that has ended. */
static void begin_anew(struct pt_tracer *t, struct tracee *tracee, enum abi abi, uint64_t number,
		       const uint64_t args[6])
{
	call_begin(t, tracee, abi, number, args);
	sandbox_answer(tracee, 0);
	tracee->call.stage = CALL_AGAIN;
}

static void begin_now(struct tracee *tracee, int64_t result)
{
	tracee->call.stage = CALL_OUTSIDE;
	sandbox_result(tracee, result);
	back_before(tracee, tracee->call.number, tracee->call.args[0], tracee->call.compat);
}

/* Its process may have its first socket after this call. True: the call is not made now. */
static bool is_prepared_for(struct pt_tracer *t, struct tracee *tracee, enum abi abi, uint64_t number,
			    const uint64_t args[6])
{
	switch (dry_leave(t, tracee, abi, number, args)) {
	case DRY_DETOURS:
		return true;
	case DRY_FAILS:
		closely_instead(t, tracee);
		if (tracee->call.before_filters)
			begin_anew(t, tracee, abi, number, args);
		else
			back_before(tracee, number, args[0], abi != ABI_NATIVE);
		return true;
	default:
		return false;
	}
}

enum next call_stop_seccomp(struct pt_tracer *t, struct tracee *tracee)
{
	struct __ptrace_syscall_info info;
	uint64_t args[6];
	enum next next;

	if (!read_syscall_info(t, tracee, &info, &next))
		return next;
	if (info.seccomp.ret_data != FILTER_COOKIE || !t->filtered) {
		sandbox_foreign_trace(tracee);
	} else if (tracee->fast.halted && !tracee->call.stage) {
		back_before(tracee, info.seccomp.nr, info.seccomp.args[0], abi_of(info.arch) != ABI_NATIVE);
	} else if (!tracee->call.stage) {
		memcpy(args, info.seccomp.args, sizeof(args));
		tracee->call.before_filters = false;
		if (is_prepared_for(t, tracee, abi_of(info.arch), info.seccomp.nr, args))
			return onward(t, tracee);
		if (fast_entry(t, tracee, abi_of(info.arch), info.instruction_pointer, info.seccomp.nr, args) ==
		    FAST_GOES_BACK)
			return onward(t, tracee);
		if (question_first(t, tracee, abi_of(info.arch), info.seccomp.nr, args))
			return onward(t, tracee);
		enter(t, tracee, info.arch, info.seccomp.nr, args);
		if (fast_wants_exit(t, tracee, info.instruction_pointer))
			tracee->call.stage = CALL_ENTERED;
	}
	return onward(t, tracee);
}

/* PTRACE_INTERRUPT has ended this call, and it will be made again. */
static bool was_our_interrupt(const struct pt_tracer *t, const struct tracee *tracee)
{
	return (t->detaching || tracee->fast.halted) && fast_interrupted(t, tracee);
}

/* A thread in the middle of a request (fast/image/request.S) stays there: the call that it stands before is one of that
 * code. One that was taken out of there while it stood is at no call any more (its number is -1). */
static bool stays_here(const struct pt_tracer *t, const struct __ptrace_syscall_info *info)
{
	return info->entry.nr == (uint64_t)-1 || fast_is_request(t, info->instruction_pointer);
}

static void at_entry(struct pt_tracer *t, struct tracee *tracee, const struct __ptrace_syscall_info *info)
{
	const enum abi abi = abi_of(info->arch);
	uint64_t args[6];

	memcpy(args, info->entry.args, sizeof(args));
	tracee->call.before_filters = true;
	if (!stays_here(t, info) && (tracee->fast.halted || (t->detaching && fast_lets_go(t, tracee))))
		return begin_anew(t, tracee, abi, info->entry.nr, args);
	if (is_prepared_for(t, tracee, abi, info->entry.nr, args))
		return;
	switch (fast_entry(t, tracee, abi, info->instruction_pointer, info->entry.nr, args)) {
	case FAST_GOES_BACK:
		return;
	case FAST_BY_ITSELF:
		call_begin(t, tracee, abi, info->entry.nr, args);
		break;
	case FAST_AT_STOPS:
		tracee->call.stage = CALL_OUTSIDE;
		if (question_first(t, tracee, abi, info->entry.nr, args))
			return;
		enter(t, tracee, info->arch, info->entry.nr, args);
	}
	fast_wants_exit(t, tracee, info->instruction_pointer);
	tracee->call.stage = CALL_ENTERED;
}

static void at_exit(struct pt_tracer *t, struct tracee *tracee, const struct __ptrace_syscall_info *info)
{
	const enum call_stage stage = tracee->call.stage;
	int64_t result;

	if (stage == CALL_AGAIN)
		return begin_now(tracee, info->exit.rval);
	if (stage == CALL_SECOND) {
		tracee->call.stage = CALL_OUTSIDE;
		return dry_returned(t, tracee, info->exit.rval);
	}
	if (stage == CALL_QUESTION) {
		tracee->call.stage = CALL_OUTSIDE;
		closing_settle(tracee);
		return question_answered(t, tracee, info->exit.rval);
	}
	result = was_our_interrupt(t, tracee) ? -ERESTARTNOINTR : sandbox_result(tracee, info->exit.rval);
	call_exit(t, tracee, result);
	tracee->call.stage = CALL_OUTSIDE;
	closing_settle(tracee);
	watch_exit(t, tracee, result);
	fast_left(t, tracee, info->instruction_pointer, result);
}

enum next call_stop_syscall(struct pt_tracer *t, struct tracee *tracee)
{
	struct __ptrace_syscall_info info;
	enum next next;

	/* Entry or exit is never guessed by turns: a thread that was seized inside a call shows an exit first. */
	if (!read_syscall_info(t, tracee, &info, &next))
		return next;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		at_entry(t, tracee, &info);
	else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
		at_exit(t, tracee, &info);
	return onward(t, tracee);
}
