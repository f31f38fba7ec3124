/* SPDX-License-Identifier: GPL-2.0-only
 *
 * A tracee is let go where nothing of it is half-way: not inside a call (its bytes would be lost), not before the
 * signal that its stop delivers. PTRACE_INTERRUPT ends a blocking call as a signal without handler does: the kernel
 * restarts it. In a group-stop the kernel keeps a detached tracee stopped.
 */
#include "detach.h"

#include <sys/ptrace.h>
#include <sys/wait.h>

#include "call.h"
#include "fast/fast.h"
#include "files.h"
#include "hold.h"
#include "rows.h"
#include "tracee.h"

static bool let_go(struct pt_tracer *t, struct tracee *tracee, int signal)
{
	call_abandon(t, tracee);
	if (tracee->files && !tracee->exiting && files_last(tracee))
		files_each(t, tracee, 0, UINT32_MAX, socket_left_open);
	tracee->exiting = true;
	ptrace(PTRACE_DETACH, tracee->tid, 0, signal);
	tracee_destroy(t, tracee);
	return true;
}

static bool is_ours(struct pt_tracer *t, struct tracee *tracee, int signal)
{
	return fast_asks(t, tracee, signal) || fast_trapped(tracee, signal);
}

static bool let_go_at_signal(struct pt_tracer *t, struct tracee *tracee, int signal)
{
	if (is_ours(t, tracee, signal))
		return let_go(t, tracee, 0);
	fast_step_back(t, tracee);
	return let_go(t, tracee, signal);
}

/* One whose signal to the tracer is on its way gets there before it runs any code, also out of a group-stop. */
static bool let_go_or_on(struct pt_tracer *t, struct tracee *tracee)
{
	if (fast_lets_go(t, tracee))
		return let_go(t, tracee, 0);
	tracee_resume(tracee, tracee_request(t, tracee), 0);
	return true;
}

bool detach_at_stop(struct pt_tracer *t, struct tracee *tracee, enum stop_kind kind, int status)
{
	switch (kind) {
	case STOP_SIGNAL:
		/* The step into a handler (restart.c) has to end first. */
		return !tracee->stepping && let_go_at_signal(t, tracee, WSTOPSIG(status));
	case STOP_INTERRUPT:
		fast_interrupted(tracee);
		return let_go_or_on(t, tracee);
	case STOP_GROUP:
		return let_go_or_on(t, tracee);
	case STOP_EXITED:
	case STOP_KILLED:
		return false;
	default:
		/* Seen to its end. Any stop takes a pending interrupt away (ptrace_stop() of kernel/signal.c), so the
		 * next one is asked for anew. */
		ptrace(PTRACE_INTERRUPT, tracee->tid, 0, 0);
		return false;
	}
}

static void interrupt(struct pt_tracer *t, struct tracee *tracee, void *context)
{
	(void)context;
	if (tracee->state == TRACEE_NEWBORN)
		let_go(t, tracee, 0); /* it stands in its first stop */
	else
		ptrace(PTRACE_INTERRUPT, tracee->tid, 0, 0);
}

void detach_begin(struct pt_tracer *t)
{
	t->detaching = true;
	hold_end_all(t);
	fast_detach(t);
	tracee_each(t, interrupt, NULL);
}
