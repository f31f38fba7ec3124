/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A thread under PTRACE_CONT is seen by the jumps alone. One that was sent PTRACE_INTERRUPT may still make the call
 * that it is just about to make, and one that must not be interrupted goes on as before. So jumps are taken away, or
 * what they cover is changed, only when everybody is known to stand.
 */
#include "fast/patch/unseen.h"

#include "fast/patch/halt.h"
#include "loop/await.h"
#include "process/tracee.h"

#define HALTS_MOST 5

bool unseen_end(struct pt_tracer *t, struct tracee *tracee)
{
	bool all = halt_process(t, tracee->group, tracee);

	/* Under a filter each call stops by itself. */
	if (all || t->filtered)
		return all;
	/* Some sleep in calls that would be cut short: they are met where those return to. Some were too slow to stop,
	 * or to show what they are in, on a busy machine. */
	await_unseen(t, tracee->group, tracee);
	for (unsigned int i = 0; i < HALTS_MOST && !all; i++)
		all = halt_process(t, tracee->group, tracee);
	return all;
}
