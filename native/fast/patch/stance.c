/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * PTRACE_INTERRUPT would tell for certain, but it ends the call that the thread is in: a write returns with a part of
 * its bytes, a recv with MSG_WAITALL with what is there, a timeout begins anew (signal(7)). So what is known is made
 * use of: the tracer knows of each thread whose syscall-exit-stop is still to come, and /proc tells where the others
 * sleep.
 */
#include "fast/patch/stance.h"

#include "fast/patch/halt.h"
#include "machine/proc.h"
#include "process/tracee.h"

enum stance stance_of(struct pt_tracer *t, pid_t tid, uint64_t *instruction)
{
	const struct tracee *tracee = tracee_find(t, tid);
	struct proc_place place;

	/* In this order: a thread that is seen to stand has not moved since, for nothing resumes it meanwhile. */
	if (halt_stands(t, tid))
		return STANCE_STANDS;
	/* An unknown one is only being born: its first stop comes before its first instruction. */
	if (!tracee || tracee->call.stage || tracee->attach.await == AWAIT_BREAKPOINT ||
	    tracee->state == TRACEE_EXPECTED || tracee->state == TRACEE_LISTENING)
		return STANCE_RETURNS;
	if (proc_place(tid, &place) != 1)
		return STANCE_RUNS;
	*instruction = place.instruction;
	return STANCE_SLEEPS;
}
