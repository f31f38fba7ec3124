/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A child has the options that its maker had at the fork. Those of another thread can't be set unless that one stands:
 * so where there are several each has its stop, whatever they do, and who may have its first socket next stands before
 * the call that brings it.
 */
#include "process/exits.h"

#include <sys/ptrace.h>

#include "state/options.h"

static bool are_wanted(const struct tracee *tracee)
{
	return !tracee->group || !tracee->group->dry || tracee->group->threads > 1;
}

void exits_look(const struct pt_tracer *t, struct tracee *tracee)
{
	const bool wanted = are_wanted(tracee);
	/* Only launched ones are dry, or have been. */
	const unsigned long options = options_of(t) | PTRACE_O_EXITKILL;

	if (tracee->exits_unseen == !wanted)
		return;
	if (ptrace(PTRACE_SETOPTIONS, tracee->tid, 0,
		   wanted ? options : options & ~(unsigned long)PTRACE_O_TRACEEXIT) == 0)
		tracee->exits_unseen = !wanted;
}
