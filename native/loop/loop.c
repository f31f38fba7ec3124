/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The hot loop: what wait(2) reported is told apart (stop.c), handled, and what is to follow is done (next.c). Every
 * stop has an answer on every path, also that of a tracee for which there was no memory.
 *
 *   what the kernel reports (ptrace(2))             handled by        and then it
 *   seccomp-stop: a watched call begins             on_seccomp        goes on, to the call's end where that counts
 *   syscall-entry-stop, syscall-exit-stop           on_syscall        goes on, or stands until a hook has answered
 *   signal-delivery-stop                            on_signal         gets the signal
 *   group-stop (SIGSTOP and its like)               loop_dispatch     stays stopped, as without a tracer
 *   a stop that was asked for, a group-stop's end   on_interrupt      goes on
 *   fork, vfork, clone                              on_fork, clone.c  goes on, and so does the child
 *   execve has replaced the program                 program_executed  goes on
 *   it is about to exit                             program_exiting   goes on to its end
 *   it has exited, or was killed                    program_gone      is forgotten
 */
#include "loop/loop.h"

#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>

#include "calls/call.h"
#include "calls/filter.h"
#include "calls/question.h"
#include "calls/restart.h"
#include "calls/sandbox.h"
#include "calls/watch.h"
#include "loop/await.h"
#include "loop/closely.h"
#include "loop/detach.h"
#include "loop/follow.h"
#include "loop/program.h"
#include "loop/signals.h"
#include "loop/stop.h"
#include "loop/wait.h"
#include "machine/registers.h"
#include "process/clone.h"
#include "process/next.h"
#include "process/tracee.h"
#include "records/debug.h"
#include "records/emit.h"
#include "sockets/files.h"
#include "state/door.h"

/* What the kernel says of the call at this stop. False: nothing is known, and *next is what follows.
 *
 * A race with SIGKILL: it takes the tracee out of the stop that was just reported, on to PTRACE_EVENT_EXIT. That stop
 * will be reported in its turn, and a call that has moved bytes is counted there. To resume "this" stop would in truth
 * resume that one, unseen. So the tracee is left alone when it is gone (ESRCH), or is in another stop already. */
static bool read_syscall_info(struct pt_tracer *t, struct tracee *tracee, struct __ptrace_syscall_info *info,
			      enum next *next)
{
	*next = NEXT_STAY;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, tracee->tid, sizeof(*info), info) > 0) {
		if (info->op == PTRACE_SYSCALL_INFO_NONE)
			return false;
		tracee->instruction = info->instruction_pointer;
		program_undecoded(t, tracee, info->arch);
		return true;
	}
	if (errno != ESRCH) {
		emit_warning(t, tracee, PT_REASON_UNREADABLE, NULL, errno);
		*next = NEXT_RESUME;
	}
	return false;
}

static void on_call_entry(struct pt_tracer *t, struct tracee *tracee, uint32_t arch, uint64_t number,
			  const uint64_t args[6])
{
	enum abi abi = abi_of(arch);

	if (abi == ABI_X86_64 && number & X32_SYSCALL_BIT && number != (uint64_t)-1) {
		emit_warning(t, tracee, PT_REASON_X32, NULL, 0);
		return;
	}
	if (tracee->strict && !sandbox_check_strict(tracee, abi, number))
		return;
	call_begin(t, tracee, abi, number, args);
	fast_enters(t, tracee);
	/* Until its close is over no answer about that fd holds (question.c), so its end is wanted. */
	tracee->entered = watch_enter(t, tracee) || (tracee->is_closing && tracee->group->hidden);
	closely_before(t, tracee);
}

/* It goes on, unless it is to stay where it is, or is let go. */
static enum next onward(struct pt_tracer *t, struct tracee *tracee)
{
	/* Or has gone on to another stop, which waits for its turn (fast/patch/inject.c). */
	if (tracee->hold || tracee->group->held == tracee || wait_kept(t, tracee->tid))
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
	tracee->again = tracee->entered = true;
}

static void begin_now(struct tracee *tracee, int64_t result)
{
	tracee->again = tracee->entered = false;
	sandbox_result(tracee, result);
	back_before(tracee, tracee->call.number, tracee->call.args[0], tracee->call.compat);
}

static enum next on_seccomp(struct pt_tracer *t, struct tracee *tracee)
{
	struct __ptrace_syscall_info info;
	uint64_t args[6];
	enum next next;

	if (!read_syscall_info(t, tracee, &info, &next))
		return next;
	if (info.seccomp.ret_data != FILTER_COOKIE || !t->filtered) {
		sandbox_foreign_trace(tracee);
	} else if (tracee->fast.halted && !tracee->entered) {
		back_before(tracee, info.seccomp.nr, info.seccomp.args[0], abi_of(info.arch) != ABI_NATIVE);
	} else if (!tracee->entered) {
		memcpy(args, info.seccomp.args, sizeof(args));
		tracee->before_filters = false;
		if (fast_entry(t, tracee, abi_of(info.arch), info.instruction_pointer, info.seccomp.nr, args) ==
		    FAST_GOES_BACK)
			return onward(t, tracee);
		tracee->entered = question_first(t, tracee, abi_of(info.arch), info.seccomp.nr, args);
		if (tracee->entered)
			return onward(t, tracee);
		on_call_entry(t, tracee, info.arch, info.seccomp.nr, args);
		tracee->entered |= fast_wants_exit(t, tracee, info.instruction_pointer);
	}
	return onward(t, tracee);
}

/* PTRACE_INTERRUPT has ended this call, and it will be made again. */
static bool was_our_interrupt(const struct pt_tracer *t, const struct tracee *tracee)
{
	return (t->detaching || tracee->fast.halted) && fast_interrupted(t, tracee);
}

/* A thread that asks (fast/image/request.S) is not taken out of there while a call of that code is about to be made.
 * One that has been, since it stood, makes none, and stands elsewhere. */
static bool stays_here(const struct pt_tracer *t, const struct __ptrace_syscall_info *info)
{
	return info->entry.nr == (uint64_t)-1 || fast_is_asking(t, info->instruction_pointer);
}

static void on_syscall_entry(struct pt_tracer *t, struct tracee *tracee, const struct __ptrace_syscall_info *info)
{
	const enum abi abi = abi_of(info->arch);
	uint64_t args[6];

	memcpy(args, info->entry.args, sizeof(args));
	tracee->before_filters = true;
	if (!stays_here(t, info) && (tracee->fast.halted || (t->detaching && fast_lets_go(t, tracee))))
		return begin_anew(t, tracee, abi, info->entry.nr, args);
	switch (fast_entry(t, tracee, abi, info->instruction_pointer, info->entry.nr, args)) {
	case FAST_GOES_BACK:
		return;
	case FAST_BY_ITSELF:
		call_begin(t, tracee, abi, info->entry.nr, args);
		break;
	case FAST_AT_STOPS:
		tracee->entered = question_first(t, tracee, abi, info->entry.nr, args);
		if (tracee->entered)
			return;
		on_call_entry(t, tracee, info->arch, info->entry.nr, args);
	}
	fast_wants_exit(t, tracee, info->instruction_pointer);
	tracee->entered = true;
}

static enum next on_syscall(struct pt_tracer *t, struct tracee *tracee)
{
	struct __ptrace_syscall_info info;
	enum next next;

	/* Entry or exit is never guessed by turns: a thread that was seized inside a call shows an exit first. */
	if (!read_syscall_info(t, tracee, &info, &next))
		return next;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		on_syscall_entry(t, tracee, &info);
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT && tracee->again) {
		begin_now(tracee, info.exit.rval);
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT && question_under_way(tracee)) {
		tracee->entered = false;
		files_settle(tracee);
		question_answered(t, tracee, info.exit.rval);
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
		int64_t result = was_our_interrupt(t, tracee) ? -ERESTARTNOINTR
							      : sandbox_result(tracee, info.exit.rval);

		call_exit(t, tracee, result);
		tracee->entered = false;
		files_settle(tracee);
		watch_exit(t, tracee, result);
		fast_left(t, tracee, info.instruction_pointer, result);
	}
	return onward(t, tracee);
}

static enum next on_signal(struct pt_tracer *t, struct tracee *tracee, int signal)
{
	if (fast_asks(t, tracee, signal) || await_trapped(t, tracee, signal))
		return NEXT_RESUME;
	if (tracee->stepping && restart_stepped(t, tracee, signal))
		return NEXT_RESUME;
	if (tracee->group->tgid == t->first)
		signals_note_delivered(t, signal);
	fast_before_signal(t, tracee, signal);
	return restart_at_signal(t, tracee, signal);
}

static enum next on_interrupt(struct pt_tracer *t, struct tracee *tracee)
{
	if (tracee->tid == t->first)
		t->first_stopped = false;
	fast_interrupted(t, tracee);
	program_look(t, tracee);
	return NEXT_RESUME;
}

/* Two are resumed here where the child was quicker than its parent: the child first. */
static enum next on_fork(struct pt_tracer *t, struct tracee *parent)
{
	struct tracee *child;
	enum next next = clone_event(t, parent, &child);

	if (child)
		next_do(t, child->tid, clone_birth(t, child), 0);
	return next;
}

/* The first stop of a tracee that nobody told of: a child whose parent's event has not come yet. It waits for it. */
static enum next on_unknown(struct pt_tracer *t, pid_t tid, enum stop_kind kind)
{
	struct tracee *child;

	if (kind == STOP_EXITED || kind == STOP_KILLED)
		return NEXT_GONE; /* not a tracee: another child of this process */
	if (kind == STOP_EXEC)
		return program_executed(t, NULL, tid);
	child = tracee_create(t, tid);
	if (!child)
		return NEXT_RESUME;
	child->born_stopped = kind == STOP_GROUP;
	return NEXT_STAY;
}

static enum next on_stop(struct pt_tracer *t, struct tracee *tracee, enum stop_kind kind, int status)
{
	switch (kind) {
	case STOP_EXITED:
	case STOP_KILLED:
		return program_gone(t, tracee, status);
	case STOP_SYSCALL:
		return on_syscall(t, tracee);
	case STOP_SECCOMP:
		return on_seccomp(t, tracee);
	case STOP_SIGNAL:
		return on_signal(t, tracee, WSTOPSIG(status));
	case STOP_GROUP:
		return NEXT_LISTEN;
	case STOP_INTERRUPT:
		return on_interrupt(t, tracee);
	case STOP_FORK:
		return on_fork(t, tracee);
	case STOP_EXEC:
		return program_executed(t, tracee, tracee->tid);
	case STOP_EXIT:
		return program_exiting(t, tracee);
	case STOP_OTHER:
		break;
	}
	return NEXT_RESUME;
}

/* What has to be known before any stop of a tracee is handled. */
static void before_stop(struct pt_tracer *t, struct tracee *tracee, enum stop_kind kind)
{
	tracee->hold = HOLD_NONE; /* only SIGKILL takes a tracee out of where it is held */
	if (tracee->seized || tracee->awaited)
		await_stopped(t, tracee, kind);
	if (tracee->unsettled && kind != STOP_EXITED && kind != STOP_KILLED)
		follow_settle(t, tracee);
	if (kind != STOP_EXEC)
		fast_before_stop(t, tracee); /* else its memory is another program's already */
	if (!tracee->entered)
		files_settle(tracee);
	if (tracee->asked_to_stop)
		closely_seen(t, tracee);
}

static enum next handle(struct pt_tracer *t, struct tracee *tracee, enum stop_kind kind, int status)
{
	enum next next;

	before_stop(t, tracee, kind);
	if (t->detaching && detach_at_stop(t, tracee, kind, status, &next))
		return next;
	if (tracee->state == TRACEE_EXPECTED && (kind == STOP_INTERRUPT || kind == STOP_GROUP)) {
		tracee->born_stopped = kind == STOP_GROUP;
		return clone_birth(t, tracee);
	}
	if (!tracee->group && kind != STOP_EXITED && kind != STOP_KILLED)
		return kind == STOP_SIGNAL ? NEXT_DELIVER : NEXT_RESUME; /* there was no memory for its group */
	return on_stop(t, tracee, kind, status);
}

void loop_dispatch(struct pt_tracer *t, pid_t tid, int status)
{
	const enum stop_kind kind = stop_kind(status);
	struct tracee *tracee = tracee_find(t, tid);

	enum next next;

	t->now = now_ns();
	debug_stop(t, tid, status);
	next = tracee ? handle(t, tracee, kind, status) : on_unknown(t, tid, kind);
	next_do(t, tid, next, kind == STOP_SIGNAL ? WSTOPSIG(status) : 0);
	/* Not before PTRACE_LISTEN: ptmon may stop itself here, and a SIGCONT is to reach its program meanwhile. */
	if (next == NEXT_LISTEN && tid == t->first)
		signals_first_stopped(t);
}

int loop_step(struct pt_tracer *t)
{
	int status;
	pid_t tid = wait_next(t, &status);

	if (tid < 0) {
		t->now = now_ns();
		return tid;
	}
	loop_dispatch(t, tid, status);
	return 0;
}
