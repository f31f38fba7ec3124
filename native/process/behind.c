/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A call that has gone past the filters and has not looked at its fd yet takes what it finds there, as it does at any
 * stop (loop/call_stop.c). What matters is what is kept: while a thread is behind nothing is believed of an fd without
 * a new look, for it may close it unseen (UNSURE_DRY).
 */
#include "process/behind.h"

#include <sys/syscall.h>

#include "machine/interrupt.h"
#include "machine/proc.h"
#include "process/tracees.h"
#include "sockets/files.h"

static bool is_by(enum abi abi, uint64_t number)
{
	const struct syscall_entry *entry = syscall_find(abi, number);

	return entry && (entry->rule == RULE_CLOSE_RANGE || entry->rule == RULE_CLONE || entry->rule == RULE_CLONE3 ||
			 entry->rule == RULE_VFORK);
}

/* May a thread that sleeps in this call still close an fd, or make a child? A close that sleeps has done so. */
static bool has_more_to_do(uint64_t number)
{
#ifdef SYS_fork
	if (number == SYS_fork)
		return true;
#endif
#ifdef ABI_COMPAT
	if (number == 2 || is_by(ABI_COMPAT, number)) /* fork of i386; nothing tells the ABI here */
		return true;
#endif
	return is_by(ABI_NATIVE, number);
}

static void settle(struct pt_tracer *t, const struct group *group)
{
	struct tracee *tracee;

	for_each_tracee (t, tracee)
		if (tracee->group == group)
			files_wet(t, tracee);
}

static void look(struct pt_tracer *t, struct tracee *tracee)
{
	struct proc_place place;
	const int sleeps = proc_place(tracee->tid, &place);

	if (sleeps == 1 ? place.number < 0 || !has_more_to_do((uint64_t)place.number)
			: sleeps == 0 && interrupt_was_in_user_mode(tracee))
		behind_end(t, tracee);
}

void behind_begin(struct pt_tracer *t, struct tracee *tracee)
{
	struct tracee *other;

	for_each_tracee (t, other) {
		if (other == tracee || other->group != tracee->group)
			continue;
		other->unstopped = true;
		if (other->behind)
			continue;
		other->behind = true;
		other->group->behind++;
		t->behind++;
		interrupt_look(other);
		look(t, other);
	}
	if (!tracee->group->behind)
		settle(t, tracee->group);
}

void behind_end(struct pt_tracer *t, struct tracee *tracee)
{
	if (!tracee->behind)
		return;
	tracee->behind = false;
	t->behind--;
	if (--tracee->group->behind == 0)
		settle(t, tracee->group);
}

void behind_tick(struct pt_tracer *t)
{
	struct tracee *tracee;

	for_each_tracee (t, tracee)
		if (t->behind && tracee->behind)
			look(t, tracee);
}
