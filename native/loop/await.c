/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A tracee's calls are seen only once it has stopped: a stop is where PTRACE_SYSCALL can be asked for. PTRACE_INTERRUPT
 * makes it stop, but ends its call, too (interrupt.c). So a thread that sleeps in a call which would be cut short is
 * met at a breakpoint behind it (meet.c). The others are sent PTRACE_INTERRUPT, as soon as they are seen in user mode
 * or in a call that is made again; one that is in the kernel for long is looked at again at each tick.
 */
#include "loop/await.h"

#include <sys/ptrace.h>
#include <time.h>

#include "loop/meet.h"
#include "loop/wait.h"
#include "machine/interrupt.h"
#include "machine/proc.h"
#include "process/tracee.h"
#include "records/emit.h"

#define LONG_TICKS 30
#define PATIENCE_NS (2 * NSEC_PER_SEC) /* on a machine that is so busy that a thread does not get as much */
#define PAUSE_NS 1000000
#define RUNS_NS (10 * NSEC_PER_SEC) /* who has not left the kernel by then is interrupted there */

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

/* Has it used the CPU for so long, and never in user mode? Then it is in one call; a thread that makes one call after
 * the other is in user mode now and then. */
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

/* Can this thread make a call that no stop shows? Under our filter every call stops, but for those made from where it
 * lets them pass, and those that a supervisor of the program's own decides on first (SECCOMP_RET_USER_NOTIF). */
static bool may_hide_calls(const struct pt_tracer *t, const struct tracee *tracee)
{
	return !t->filtered || tracee->closely.always || (tracee->group && tracee->group->closely) ||
	       (tracee->files && tracee->files->unsure & UNSURE_SUPERVISED);
}

static void look_late(struct pt_tracer *t, struct tracee *tracee)
{
	look(t, tracee);
	/* What it did since it left that long call was not seen. */
	if (tracee->attach.await != AWAIT_STOP && may_hide_calls(t, tracee))
		emit_warning(t, tracee, PT_REASON_DETACHED, NULL, 0);
	else if (tracee->attach.await == AWAIT_STOP && now_ns() - tracee->attach.since > RUNS_NS)
		meet_interrupt(t, tracee, NULL);
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

void await_stopped(struct pt_tracer *t, struct tracee *tracee, enum stop_kind kind)
{
	if (tracee->attach.await == AWAIT_BREAKPOINT)
		meet_stopped(t, tracee, kind);
	tracee->attach.await = AWAIT_NOTHING;
}
