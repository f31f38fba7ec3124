/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A tracee is let go where nothing of it is half-way: not inside a call (its bytes would be lost), not before the
 * signal that its stop delivers. In a group-stop the kernel keeps a detached tracee stopped.
 *
 *   it runs in user mode                      PTRACE_INTERRUPT
 *   it sleeps, and may be interrupted         the same: the kernel goes on with its call by itself (interrupt.c)
 *   it is about to make a call                it stops before it, and is let go there, before the instruction
 *   it sleeps in a call that would be cut     it has some time to come out by itself. Then it stays as it is: when
 *   short                                     the tracer's thread ends the kernel lets it go without a stop
 *                                             (exit_ptrace() of kernel/ptrace.c), and nobody knows what its call
 *                                             will move
 */
#include "loop/detach.h"

#include <sys/ptrace.h>
#include <sys/wait.h>

#include "calls/call.h"
#include "loop/hold.h"
#include "loop/meet.h"
#include "machine/interrupt.h"
#include "process/next.h"
#include "process/tracee.h"
#include "sockets/files.h"
#include "sockets/rows.h"
#include "state/door.h"

/* Nothing of it is left half-way. */
static void settle(struct pt_tracer *t, struct tracee *tracee)
{
	call_abandon(t, tracee);
	if (tracee->files && tracee->state != TRACEE_EXITING && files_last(tracee))
		files_each(t, tracee, 0, UINT32_MAX, socket_left_open);
	tracee->state = TRACEE_EXITING;
}

static enum next let_go(struct pt_tracer *t, struct tracee *tracee)
{
	settle(t, tracee);
	return NEXT_LET_GO;
}

static bool is_ours(struct pt_tracer *t, struct tracee *tracee, int signal)
{
	return fast_requests(t, tracee, signal) || meet_trapped(t, tracee, signal);
}

static enum next let_go_at_signal(struct pt_tracer *t, struct tracee *tracee, int signal)
{
	if (is_ours(t, tracee, signal))
		return let_go(t, tracee);
	fast_step_back(t, tracee);
	settle(t, tracee);
	return NEXT_LET_GO_DELIVER;
}

/* A thread that has sent its request is not let go yet: when it is resumed it comes to the stop of that signal before
 * it runs any code, also out of a group-stop. */
static enum next let_go_or_on(struct pt_tracer *t, struct tracee *tracee)
{
	return fast_lets_go(t, tracee) ? let_go(t, tracee) : NEXT_RESUME;
}

bool detach_at_stop(struct pt_tracer *t, struct tracee *tracee, enum stop_kind kind, int status, enum next *next)
{
	switch (kind) {
	case STOP_SIGNAL:
		/* The step into a handler (restart.c) has to end first. */
		if (tracee->step.on)
			return false;
		*next = let_go_at_signal(t, tracee, WSTOPSIG(status));
		return true;
	case STOP_INTERRUPT:
		fast_interrupted(t, tracee);
		*next = let_go_or_on(t, tracee);
		return true;
	case STOP_GROUP:
		*next = let_go_or_on(t, tracee);
		return true;
	case STOP_EXITED:
	case STOP_KILLED:
		return false;
	case STOP_SYSCALL:
		return false; /* call_stop.c lets it go, at the call's end or before its begin */
	default:
		/* Seen to its end. Any stop takes a pending interrupt away (ptrace_stop() of kernel/signal.c), so it is
		 * sent once more. */
		ptrace(PTRACE_INTERRUPT, tracee->tid, 0, 0);
		return false;
	}
}

bool detach_here(struct pt_tracer *t, struct tracee *tracee)
{
	if (!t->detaching || tracee->call.stage || !fast_lets_go(t, tracee))
		return false;
	settle(t, tracee);
	return true;
}

/* Under PTRACE_SYSCALL a thread that is in no call runs in user mode, or stops before its next one. Of the others it is
 * known only what /proc says. */
static bool may_be_in_call(const struct tracee *tracee)
{
	return tracee->call.stage || tracee->resumed.by_cont;
}

/* False: it is in a call that would be cut short. */
static bool interrupt(struct tracee *tracee)
{
	struct proc_place place;

	tracee->interrupt_sent = !may_be_in_call(tracee) || interrupt_gently(tracee, &place) == INTERRUPT_SENT;
	if (!may_be_in_call(tracee))
		ptrace(PTRACE_INTERRUPT, tracee->tid, 0, 0);
	return tracee->interrupt_sent;
}

unsigned int detach_interrupt(struct pt_tracer *t)
{
	struct tracee *tracee;
	unsigned int left = 0;

	for_each_tracee (t, tracee) {
		if (tracee->state == TRACEE_NEWBORN && !tracee->interrupt_sent)
			next_do(t, tracee->tid, let_go(t, tracee), 0); /* it stands in its first stop */
		else if (!tracee->interrupt_sent)
			left += !interrupt(tracee);
	}
	return left;
}

void detach_begin(struct pt_tracer *t)
{
	struct tracee *tracee;

	t->detaching = true;
	hold_end_all(t);
	fast_detach(t);
	meet_detach(t);
	for_each_tracee (t, tracee)
		if (may_be_in_call(tracee))
			interrupt_look(tracee);
	detach_interrupt(t);
}

void detach_end(struct pt_tracer *t)
{
	struct tracee *tracee;

	for_each_tracee (t, tracee)
		call_abandon(t, tracee);
}
