/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the core reaches of the fast path.
 */
#include "fast/door.h"

#include "fast/count/explain.h"
#include "fast/image/kinds.h"
#include "fast/image/layout.h"
#include "fast/image/stub.h"
#include "fast/patch/returns.h"
#include "fast/touching.h"

/* Under the filter a call that stops may go back to its stub (retry.c). Under PTRACE_SYSCALL calls made in stubs stop,
 * too. */
static enum fast_entry entry(struct pt_tracer *t, struct tracee *tracee, enum abi abi, uint64_t instruction,
			     uint64_t number, const uint64_t args[6])
{
	const bool filtered = !tracee->call.before_filters;

	explain_stop(t, tracee, abi, instruction, number);
	if ((filtered && door_tries_again(t, tracee, instruction, number)) ||
	    door_collides(t, tracee, abi, number, args))
		return FAST_GOES_BACK;
	return !filtered && door_counts_itself(tracee, instruction) ? FAST_BY_ITSELF : FAST_AT_STOPS;
}

static bool wants_exit(struct pt_tracer *t, struct tracee *tracee, uint64_t instruction)
{
	return door_call_stops(t, tracee, instruction) || tracee->fast.may_map;
}

static void left(struct pt_tracer *t, struct tracee *tracee, uint64_t instruction, int64_t result)
{
	door_mapped(t, tracee);
	door_call_ended(tracee, instruction, result);
	door_call_stopped(t, tracee, instruction, result);
}

const struct fast_ops fast_path = {
	.calls = fast_calls,
	.call_count = FAST_CALLS,
	.stubs_begin = FAST_STUBS,
	.stubs_end = FAST_STUBS_END,
	.counts = kinds_counted,
	.passes = kinds_pass,
	.shows_code = kinds_protect,
	.filter = touching_filter,
	.entry = entry,
	.enters = door_call_enters,
	.wants_exit = wants_exit,
	.left = left,
	.counts_itself = door_counts_itself,

	.before_stop = door_before_stop,
	.requests = door_requests,
	.before_signal = door_before_signal,
	.step_back = door_step_back,
	.wants_frame = returns_wanted,
	.frame_built = returns_built,
	.interrupted = door_interrupted,

	.cloned = door_cloned,
	.born = door_born,
	.left_alone = door_leave,
	.executed = door_executed,
	.is_taken = door_is_taken,
	.exiting = door_exiting,
	.gone = door_gone,
	.group_gone = door_group_gone,
	.withdraw = door_withdraw,
	.hides = door_hides,
	.explain = explain_tell,

	.prepare = door_prepare,
	.attached = door_attached,
	.is_request = door_is_request,
	.lets_go = door_lets_go,
	.detach = door_detach,

	.drain = door_drain,
	.patrol = door_patrol,
	.destroy = door_destroy,

	.fd_look = door_look,
	.fd_learnt = door_learn,
	.fd_stops = door_stop,
	.fd_forgotten = door_forget,
	.fd_left = door_left,
	.fds_forgotten = door_forget_range,
	.fd_still = door_still,
	.fd_busy = door_busy,
	.table_gone = door_table_gone,
};
