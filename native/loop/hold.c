/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A held tracee is in a ptrace-stop like any other; it is not resumed, that is all. Only SIGKILL takes it out of there
 * (kill, exit_group or execve by another thread), and then PTRACE_EVENT_EXIT is its next stop, which loop_dispatch()
 * gets like any other.
 */
#include "loop/hold.h"

#include <errno.h>

#include "calls/call.h"
#include "calls/restart.h"
#include "calls/sandbox.h"
#include "loop/closely.h"
#include "process/next.h"
#include "process/overtaken.h"
#include "process/tracee.h"
#include "records/emit.h"

static int end(struct pt_tracer *t, struct tracee *tracee, bool made, int64_t result)
{
	enum hold at = tracee->hold;

	tracee->hold = HOLD_NONE;
	if (overtaken(tracee->tid))
		return -ESRCH;
	if (at == HOLD_ENTRY) {
		if (!made)
			sandbox_answer(tracee, result);
		call_enter(t, tracee, made);
		closely_before(t, tracee);
	}
	/* If its call is a seccomp(2) for all threads it may have to wait for the others still (closely.c). */
	if (tracee->group->waiting != tracee)
		next_do(t, tracee->tid, NEXT_RESUME, 0);
	return 0;
}

int pt_answer(struct pt_tracer *t, int tid, int made, int64_t result)
{
	struct tracee *tracee = tracee_find(t, tid);

	if (!tracee || !tracee->hold)
		return -ESRCH;
	/* A result that is one of the kernel's own codes would make it restart the call, again and again. */
	if (restart_result(result))
		result = -EINTR;
	t->now = now_ns();
	emit_continue(t);
	return end(t, tracee, made || tracee->hold == HOLD_EXIT, result);
}

void hold_end_all(struct pt_tracer *t)
{
	struct tracee *tracee;

	if (!t->orders.any)
		return;
	for_each_tracee (t, tracee)
		if (tracee->hold)
			end(t, tracee, true, 0);
}
