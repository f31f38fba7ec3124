/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A tracer's life: created, run in slices between which Python looks at the batches, destroyed.
 */
#include "state/tracer.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "calls/content.h"
#include "calls/watch.h"
#include "loop/await.h"
#include "loop/closely.h"
#include "loop/hold.h"
#include "loop/loop.h"
#include "loop/signals.h"
#include "machine/proc_path.h"
#include "process/behind.h"
#include "process/clone.h"
#include "process/tracee.h"
#include "records/emit.h"
#include "sockets/sockets.h"
#include "state/door.h"

int pt_create(const struct pt_options *options, struct pt_tracer **out)
{
	struct pt_tracer *t = calloc(1, sizeof(*t));
	int error;

	if (!t)
		return -ENOMEM;
	t->options = *options;
	t->debug = options->debug;
	t->counting = true;
#if defined(__x86_64__)
	t->fast = &fast_path;
#endif
	if (options->only)
		t->only = strdup(options->only);
	error = options->only && !t->only ? -ENOMEM : emit_create(t);
	if (!error)
		error = proc_check(&t->foreign_proc);
	if (!error)
		error = content_create(t);
	if (!error)
		error = signals_create(t);
	if (error) {
		pt_destroy(t);
		return error;
	}
	emit_begin(t);
	*out = t;
	return 0;
}

/* With many hundred threads a tick may take longer than the time between two: stops get at least as much time as it
 * took, or one of them would be handled for each tick. */
static void tick(struct pt_tracer *t)
{
	int64_t end;

	if (t->now < t->next_tick)
		return;
	signals_tick(t);
	clone_adopt_orphans(t);
	await_tick(t);
	fast_drain(t);
	fast_patrol(t);
	closely_tick(t);
	behind_tick(t);
	end = now_ns();
	t->next_tick = t->now + TICK_NS;
	if (t->next_tick < end + (end - t->now))
		t->next_tick = end + (end - t->now);
}

/* A launched program can't be detached: its filter would make each watched call fail. If ptmon gives up half-way it
 * passes the program on, uncounted, to the program's own end. */
static void pass_on(struct pt_tracer *t)
{
	int result = 0;

	pt_stop_counting(t);
	signals_start_ticks(t);
	while (t->tracee_count && result != -ECHILD) {
		emit_begin(t);
		result = loop_step(t);
		tick(t);
	}
}

void pt_destroy(struct pt_tracer *t)
{
	struct pt_batch rest;
	struct tracee *tracee;

	if (!t)
		return;
	if (t->tracee_count && t->launched)
		pass_on(t);
	else if (t->tracee_count && !t->detaching)
		pt_detach(t, &rest);
	for_each_tracee (t, tracee)
		tracee_destroy(t, tracee);
	fast_destroy(t);
	sockets_destroy(t);
	signals_destroy(t);
	emit_destroy(t);
	watch_destroy(t);
	content_destroy(t);
	free(t->left_out.list);
	free(t->second.program);
	free(t->only);
	free(t);
}

/* No pid of a tracee is given out anew before the tracer has waited for it, and then it is no tracee any more. */
void pt_signal(struct pt_tracer *t, int number)
{
	struct tracee *tracee;

	for_each_tracee (t, tracee) {
		if (!tracee->group || tracee->group->signalled == number)
			continue;
		tracee->group->signalled = number;
		kill(tracee->group->tgid, number);
	}
}

void pt_stop_counting(struct pt_tracer *t)
{
	t->counting = false;
	emit_continue(t);
	hold_end_all(t);
}

int pt_explain(struct pt_tracer *t, struct pt_batch *batch)
{
	struct tracee *tracee;

	emit_continue(t);
	fast_drain(t);
	for_each_tracee (t, tracee)
		if (tracee->group)
			fast_explain(t, tracee->group);
	t->options.explain = 0;
	emit_end(t, batch);
	return 0;
}

int pt_run(struct pt_tracer *t, int timeout_ms, struct pt_batch *batch)
{
	int64_t end = now_ns() + timeout_ms * 1000000LL;
	int result = 0;

	/* The first batch also holds what launch and attach have emitted. */
	emit_continue(t);
	t->wants.answer = false;
	t->now = now_ns();
	signals_start_ticks(t);
	while (t->tracee_count && !t->wants.end && !t->wants.answer && !emit_full(t) && t->now < end &&
	       result != -ECHILD) {
		result = loop_step(t);
		tick(t);
	}
	signals_stop_ticks(t);
	fast_drain(t);
	emit_end(t, batch);
	return t->tracee_count && result != -ECHILD;
}
