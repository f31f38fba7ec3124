/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The hot loop: what wait(2) reported is told apart (stop.c), handled, and what is to follow is done (next.c). No stop
 * is left without an answer, not even that of a tracee for which there was no memory.
 *
 *   what the kernel reports (ptrace(2))             handled by        and then it
 *   seccomp-stop: a watched call begins             call_stop.c       goes on, to the call's end where that counts
 *   syscall-entry-stop, syscall-exit-stop           call_stop.c       goes on, or stands until a hook has answered
 *   signal-delivery-stop                            on_signal         gets the signal
 *   group-stop (SIGSTOP and its like)               loop_dispatch     stays stopped, as without a tracer
 *   a stop that was asked for, a group-stop's end   on_interrupt      goes on
 *   fork, vfork, clone                              on_fork, clone.c  goes on, and so does the child
 *   execve has replaced the program                 program_executed  goes on
 *   it is about to exit                             program_exiting   goes on to its end
 *   it has exited, or was killed                    program_gone      is forgotten
 */
#include "loop/loop.h"

#include "calls/restart.h"
#include "loop/await.h"
#include "loop/call_stop.h"
#include "loop/closely.h"
#include "loop/detach.h"
#include "loop/follow.h"
#include "loop/meet.h"
#include "loop/program.h"
#include "loop/signals.h"
#include "loop/stop.h"
#include "loop/wait.h"
#include "machine/registers.h"
#include "process/clone.h"
#include "process/next.h"
#include "process/tracee.h"
#include "records/debug.h"
#include "sockets/closing.h"
#include "state/door.h"

static enum next on_signal(struct pt_tracer *t, struct tracee *tracee, int signal)
{
	if (fast_requests(t, tracee, signal) || meet_trapped(t, tracee, signal))
		return NEXT_RESUME;
	if (tracee->step.on && restart_stepped(t, tracee, signal))
		return NEXT_RESUME;
	if (tracee->group->tgid == t->first.pid)
		signals_note_delivered(t, tracee->tid, signal);
	fast_before_signal(t, tracee, signal);
	return restart_at_signal(t, tracee, signal);
}

static enum next on_interrupt(struct pt_tracer *t, struct tracee *tracee)
{
	if (tracee->tid == t->first.pid)
		t->first.stopped = false;
	fast_interrupted(t, tracee);
	program_look(t, tracee);
	return NEXT_RESUME;
}

/* Where the child has stopped before its parent's event came, both are resumed here, the child first. */
static enum next on_fork(struct pt_tracer *t, struct tracee *parent)
{
	struct tracee *child;
	enum next next = clone_event(t, parent, &child);

	if (child)
		next_do(t, child->tid, clone_birth(t, child), 0);
	return next;
}

/* For those who change code (fast/patch/pass.c). */
static void note_instruction(const struct pt_tracer *t, struct tracee *tracee)
{
	tracee->resumed.from = t->fast ? registers_peek_instruction(tracee->tid) : 0;
}

/* A tracee has stopped that is not known: a child whose parent's event has not come yet. It stays in its stop until
 * then. */
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
	child->birth.stopped = kind == STOP_GROUP;
	note_instruction(t, child);
	return NEXT_STAY;
}

static enum next on_stop(struct pt_tracer *t, struct tracee *tracee, enum stop_kind kind, int status)
{
	switch (kind) {
	case STOP_EXITED:
	case STOP_KILLED:
		return program_gone(t, tracee, status);
	case STOP_SYSCALL:
		return call_stop_syscall(t, tracee);
	case STOP_SECCOMP:
		return call_stop_seccomp(t, tracee);
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
	if (tracee->attach.await)
		await_stopped(t, tracee, kind);
	if (tracee->attach.unsettled && kind != STOP_EXITED && kind != STOP_KILLED)
		follow_settle(t, tracee);
	if (kind != STOP_EXEC)
		fast_before_stop(t, tracee); /* else its memory is another program's already */
	if (!tracee->call.stage)
		closing_settle(tracee);
	if (tracee->closely.waited_for)
		closely_seen(t, tracee);
	if (kind != STOP_SYSCALL && kind != STOP_SECCOMP) /* these tell by themselves */
		note_instruction(t, tracee);
}

static enum next handle(struct pt_tracer *t, struct tracee *tracee, enum stop_kind kind, int status)
{
	enum next next;

	before_stop(t, tracee, kind);
	if (t->detaching && detach_at_stop(t, tracee, kind, status, &next))
		return next;
	if (tracee->state == TRACEE_EXPECTED && (kind == STOP_INTERRUPT || kind == STOP_GROUP)) {
		tracee->birth.stopped = kind == STOP_GROUP;
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
	if (next == NEXT_LISTEN && tid == t->first.pid)
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
