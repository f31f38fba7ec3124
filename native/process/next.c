/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The one place that resumes tracees, and lets them go; but for inject.c, which runs code in one and brings it back.
 */
#include "process/next.h"

#include <sys/ptrace.h>

#include "process/behind.h"
#include "process/exits.h"
#include "process/overtaken.h"
#include "process/tracee.h"
#include "records/debug.h"

#define QUICK_NS 5000

/* PTRACE_CONT where our filter stops the watched calls; PTRACE_SYSCALL elsewhere, and inside a call whose exit-stop is
 * needed (after the ptrace-event-stop of an execve or a fork). */
static int request_of(const struct pt_tracer *t, const struct tracee *tracee)
{
	bool free = t->filtered || (tracee->group && tracee->group->fast.free && !tracee->fast.borrows);

	return free && !tracee->sandbox && !tracee->closely.always && !(tracee->group && tracee->group->closely) &&
			       !tracee->call.stage && !tracee->fast.requests
		       ? PTRACE_CONT
		       : PTRACE_SYSCALL;
}

/* Without stubs most stops are handled before a killed tracee could get to the next one, and they are the many. Who has
 * no stop at its exit has none that could be missed. */
static bool may_be_overtaken(const struct pt_tracer *t, const struct tracee *tracee)
{
	return !tracee->exits_unseen && ((tracee->group && tracee->group->fast.image) || now_ns() - t->now > QUICK_NS);
}

/* If SIGKILL has taken it out of its stop it is not resumed, which is as well: a later wait reports its exit. */
static void resume(struct pt_tracer *t, struct tracee *tracee, int request, int signal)
{
	tracee->fast.halted = false;
	behind_end(t, tracee);
	tracee->unstopped = false;
	exits_look(t, tracee);
	tracee->resumed.by_cont = request == PTRACE_CONT;
	if (tracee->state != TRACEE_EXITING)
		tracee->state = request == PTRACE_LISTEN ? TRACEE_LISTENING : TRACEE_RUNNING;
	tracee->resumed.gone_on = (may_be_overtaken(t, tracee) && overtaken(tracee->tid)) ||
				  ptrace(request, tracee->tid, 0, signal) < 0;
	if (tracee->resumed.gone_on)
		debug(t, PT_DEBUG_OVERTAKEN, tracee->tid, (struct pt_debug_entry){0});
}

static void let_go(struct pt_tracer *t, struct tracee *tracee, int signal)
{
	ptrace(PTRACE_DETACH, tracee->tid, 0, signal);
	tracee_destroy(t, tracee);
}

/* It runs on uncounted, but as a tracee: without a tracer our filter would make its calls fail. */
static void resume_unknown(const struct pt_tracer *t, pid_t tid, enum next next)
{
	if (next != NEXT_STAY && next != NEXT_GONE)
		ptrace(t->filtered || next == NEXT_EXIT ? PTRACE_CONT : PTRACE_SYSCALL, tid, 0, 0);
}

/* What follows, in the words of ptrace(2). */
static void note(const struct pt_tracer *t, const struct tracee *tracee, pid_t tid, enum next next, int signal)
{
	static const uint8_t words[] = {
		[NEXT_STEP] = PT_DEBUG_STEP,
		[NEXT_LISTEN] = PT_DEBUG_LISTEN,
		[NEXT_EXIT] = PT_DEBUG_CONT,
		[NEXT_STAY] = PT_DEBUG_STAYS,
		[NEXT_GONE] = PT_DEBUG_GONE,
		[NEXT_LET_GO] = PT_DEBUG_DETACH,
		[NEXT_LET_GO_DELIVER] = PT_DEBUG_DETACH,
	};
	const bool passes = next == NEXT_DELIVER || next == NEXT_STEP || next == NEXT_LET_GO_DELIVER;
	enum pt_debug_next word = words[next];

	if (next == NEXT_RESUME || next == NEXT_DELIVER)
		word = (tracee ? request_of(t, tracee) == PTRACE_CONT : t->filtered) ? PT_DEBUG_CONT : PT_DEBUG_SYSCALL;
	debug_add_next(t->debug, tid, word, passes && tracee ? signal : 0);
}

void next_do(struct pt_tracer *t, pid_t tid, enum next next, int signal)
{
	struct tracee *tracee = tracee_find(t, tid);

	if (debug_notes(t, PT_DEBUG_STOP))
		note(t, tracee, tid, next, signal);
	if (!tracee)
		return resume_unknown(t, tid, next);
	switch (next) {
	case NEXT_RESUME:
		return resume(t, tracee, request_of(t, tracee), 0);
	case NEXT_DELIVER:
		return resume(t, tracee, request_of(t, tracee), signal);
	case NEXT_STEP:
		return resume(t, tracee, PTRACE_SINGLESTEP, signal);
	case NEXT_LISTEN:
		return resume(t, tracee, PTRACE_LISTEN, 0);
	case NEXT_EXIT:
		return resume(t, tracee, PTRACE_CONT, 0);
	case NEXT_LET_GO:
		return let_go(t, tracee, 0);
	case NEXT_LET_GO_DELIVER:
		return let_go(t, tracee, signal);
	case NEXT_STAY:
	case NEXT_GONE:
		return;
	}
}
