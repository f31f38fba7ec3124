/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Where our filter is not enough (sandbox.c, fast/collide.c) every call of a thread has to stop, by PTRACE_SYSCALL. A
 * thread that runs under PTRACE_CONT has to stop once for that, to be resumed by PTRACE_SYSCALL; and the thread whose
 * call is the cause of it may have to wait until the others have stopped.
 */
#include "loop/closely.h"

#include <linux/kcmp.h>
#include <sys/ptrace.h>

#include "calls/dry.h"
#include "loop/await.h"
#include "machine/proc.h"
#include "process/next.h"
#include "process/tracee.h"
#include "state/door.h"

#define WAIT_NS (200 * 1000 * 1000LL)

/* A thread that runs under PTRACE_CONT is made to stop, so that its next resume is by PTRACE_SYSCALL. In a call that
 * would be cut short it stops only where the call returns to (meet.c), which is as good. */
static void stop_once(struct pt_tracer *t, struct tracee *other)
{
	if (other->closely.waited_for || !await_again(t, other))
		return;
	other->closely.waited_for = true;
	other->group->unwatched++;
}

static void bring_to_stop(struct pt_tracer *t)
{
	struct tracee *other;

	for_each_tracee (t, other) {
		if (other->closely.waited_for && other->attach.await == AWAIT_STOP && !other->attach.since)
			await_begin(t, other->group);
		if (other->closely.waited_for && other->attach.await == AWAIT_BREAKPOINT)
			closely_seen(t, other);
	}
}

/* The caller stays where it is until the last of them has stopped once. */
static void wait_for_others(struct pt_tracer *t, struct tracee *caller)
{
	if (caller->group->unwatched && caller->group->waiting != caller) {
		caller->group->waiting = caller;
		caller->closely.waiting_since = t->now;
		t->waiting++;
	}
}

/* With TSYNC the other threads get the filter in the middle of whatever they do. None may run under PTRACE_CONT then.
 */
void closely_before(struct pt_tracer *t, struct tracee *caller)
{
	const bool filters_all = caller->closely.filters_all;
	struct tracee *other;

	caller->closely.filters_all = false;
	if (!filters_all || (caller->group->waiting && caller->group->waiting != caller))
		return;
	for_each_tracee (t, other) {
		if (other == caller || other->group != caller->group || other->sandbox)
			continue;
		other->sandbox = SANDBOX_OWN;
		stop_once(t, other);
	}
	bring_to_stop(t);
	wait_for_others(t, caller);
}

void closely_instead(struct pt_tracer *t, struct tracee *caller)
{
	struct tracee *other;

	if (caller->group->waiting)
		return;
	dry_end(t, caller);
	fast_withdraw(t, caller, PT_FALLBACK_FILTER);
	for_each_tracee (t, other)
		if (other != caller && other->group == caller->group)
			stop_once(t, other);
	bring_to_stop(t);
	wait_for_others(t, caller);
}

/* Those of another process that runs in the same memory (clone(2), vfork(2)), too. */
static bool share_memory(const struct tracee *one, const struct tracee *other)
{
	return other->group && (other->group == one->group || proc_share(one->tid, other->tid, KCMP_VM) == 1);
}

void closely_watch(struct pt_tracer *t, struct tracee *tracee, bool wait)
{
	struct tracee *other;

	for_each_tracee (t, other) {
		if (other->closely.always || !share_memory(tracee, other))
			continue;
		other->closely.always = true;
		if (other != tracee)
			stop_once(t, other);
	}
	bring_to_stop(t);
	if (wait)
		wait_for_others(t, tracee);
}

/* Lets the tracee go on that waits in this group, if there is one. */
static void release(struct pt_tracer *t, struct group *group)
{
	struct tracee *caller = group->waiting;

	group->unwatched = 0;
	group->waiting = NULL;
	if (!caller)
		return;
	t->waiting--;
	if (!caller->hold)				 /* else pt_answer() resumes it */
		next_do(t, caller->tid, NEXT_RESUME, 0); /* by PTRACE_SYSCALL, for it is watched closely, too */
}

void closely_seen(struct pt_tracer *t, struct tracee *tracee)
{
	tracee->closely.waited_for = false;
	if (tracee->group->unwatched && --tracee->group->unwatched == 0)
		release(t, tracee->group);
}

void closely_tick(struct pt_tracer *t)
{
	struct tracee *tracee;

	if (!t->waiting)
		return;
	/* A thread in uninterruptible sleep must not hold up the program. */
	for_each_tracee (t, tracee)
		if (tracee->group && tracee->group->waiting == tracee &&
		    t->now - tracee->closely.waiting_since > WAIT_NS)
			release(t, tracee->group);
}
