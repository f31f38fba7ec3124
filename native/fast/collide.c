/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The memory of the fast path lies at addresses that are the program's (layout.h), and takes room that may be limited.
 * So a call that could touch it, or find no room for it, stops before it is made; then the process gets its memory
 * back, for good, and the call is made as if there had never been anything.
 *
 * It matters, too, where there is nothing of ours: the filter of a launched program lets calls pass that come from
 * these addresses (../calls/filter.c), and if the program puts code of its own there they would pass uncounted. So a
 * process that maps something there is watched closely from then on: every call of it stops, whatever the filter says.
 *
 * Not seen is what writes into our pages without a call of the process that could be told from others: through
 * /proc/PID/mem and process_vm_writev(2), by userfaultfd(2), or from another process. That is no accident, but intent.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "calls/call.h"
#include "calls/sandbox.h"
#include "fast/count/fallback.h"
#include "fast/door.h"
#include "fast/effect.h"
#include "fast/image/image.h"
#include "fast/image/layout.h"
#include "fast/image/maps.h"
#include "fast/leave.h"
#include "fast/patch/halt.h"
#include "loop/closely.h"
#include "machine/proc.h"
#include "process/tracee.h"
#include "records/emit.h"

#define PATIENCE_NS (5 * NSEC_PER_SEC)
#define GRACE_NS (NSEC_PER_SEC / 10)
/* It stands before its call, and will make it again when it runs on. */
static void call_again(const struct tracee *tracee, uint64_t number)
{
	struct registers regs;

	if (registers_read(tracee->tid, &regs) < 0)
		return;
	registers_restart(&regs, (int64_t)number);
	registers_write(tracee->tid, &regs);
}

/* It sleeps in a stub, in a call that would be cut short, and has had time to come out. That this call ends too early
 * is better than that the program does not get its addresses. */
static void interrupt_if_inside(struct pt_tracer *t, struct tracee *tracee)
{
	struct proc_place place;

	if (halt_stands(t, tracee->tid) || proc_place(tracee->tid, &place) != 1 || place.instruction < FAST_DATA ||
	    place.instruction >= FAST_END)
		return;
	ptrace(PTRACE_INTERRUPT, tracee->tid, 0, 0);
	emit_warning(t, tracee, PT_REASON_INTERRUPTED, syscall_find(ABI_NATIVE, (uint64_t)place.number), 0);
}

static void interrupt_inside(struct pt_tracer *t, const struct group *group)
{
	struct tracee *tracee;

	for_each_tracee (t, tracee)
		if (tracee->group == group)
			interrupt_if_inside(t, tracee);
}

/* Everybody out, and the memory back. True: the tracee, which stands before a call, will make it again; whether the
 * memory is gone will be seen then. */
static bool give_back(struct pt_tracer *t, struct tracee *tracee, uint64_t number, enum pt_fallback reason)
{
	struct group *group = tracee->group;
	struct registers regs;

	/* A borrower runs in the memory of another process, whose threads would have to stand, too. */
	if (tracee->fast.borrows || group->fast.image->borrowers)
		return false;
	/* Who sleeps elsewhere may stay there. */
	halt_process(t, group, tracee);
	if (group->fast.collides_since && t->now - group->fast.collides_since > GRACE_NS)
		interrupt_inside(t, group);
	door_withdraw(t, tracee, reason);
	if (!leave_stubs(t, group->fast.image) || registers_read(tracee->tid, &regs) < 0 || registers_compat(&regs))
		return false;
	registers_restart(&regs, (int64_t)number);
	if (leave_memory(t, tracee, &regs, true) < 0)
		registers_write(tracee->tid, &regs);
	return true;
}

/* What keeps the memory from being given back (a thread in uninterruptible sleep, a child of vfork) passes, mostly
 * soon. If not, the call fails: if it were made, the next call that comes to a stub would crash. */
static void get_out(struct pt_tracer *t, struct tracee *tracee, enum abi abi, uint64_t number, const uint64_t args[6],
		    enum pt_fallback reason)
{
	struct group *group = tracee->group;

	if (!group->fast.collides_since)
		group->fast.collides_since = t->now;
	if (t->now - group->fast.collides_since < PATIENCE_NS) {
		if (!give_back(t, tracee, number, reason))
			call_again(tracee, number);
		return;
	}
	group->fast.collides_since = 0;
	call_begin(t, tracee, abi, number, args);
	sandbox_answer(tracee, -ENOMEM);
}

/* A filter of the program's own may forbid the calls by which the memory is given back: it is done before. */
static bool locks_itself_in(enum abi abi, uint64_t number, const uint64_t args[6], enum pt_fallback *reason)
{
	const bool dispatches = number == SYS_prctl && args[0] == PR_SET_SYSCALL_USER_DISPATCH;

	*reason = dispatches ? PT_FALLBACK_DISPATCH : PT_FALLBACK_SANDBOX;
	return abi == ABI_NATIVE && (dispatches || (number == SYS_prctl && args[0] == PR_SET_SECCOMP) ||
				     (number == SYS_seccomp && args[0] <= SECCOMP_SET_MODE_FILTER));
}

/* From now on whatever it does at these addresses is its own, and every call of it is seen. False: it has to wait for
 * another thread that says the same. */
static bool watch(struct pt_tracer *t, struct tracee *tracee)
{
	if (!tracee->group->fast.slow)
		fallback_report(t, tracee, PT_FALLBACK_TAKEN, 0);
	tracee->group->fast.slow = true;
	if (!t->filtered || tracee->closely.always)
		return true;
	if (tracee->group->waiting)
		return false;
	closely_watch(t, tracee, true);
	return true;
}

bool door_collides(struct pt_tracer *t, struct tracee *tracee, enum abi abi, uint64_t number, const uint64_t args[6])
{
	struct image *image = tracee->fast.borrows ? tracee->fast.borrows
			      : tracee->group	   ? tracee->group->fast.image
						   : NULL;
	enum pt_fallback reason;
	enum effect effect;

	if (!t->options.fast || tracee->fresh)
		return false;
	if (image && image->stage < IMAGE_WITHDRAWN && locks_itself_in(abi, number, args, &reason))
		return give_back(t, tracee, number, reason);
	effect = effect_of(tracee, abi, number, args);
	tracee->fast.may_map = effect == EFFECT_MAY_MAP && t->filtered;
	if (effect == EFFECT_NOTHING || effect == EFFECT_MAY_MAP)
		return false;
	if (image) {
		get_out(t, tracee, abi, number, args,
			effect == EFFECT_TAKES_ROOM ? PT_FALLBACK_LIMITED : PT_FALLBACK_TAKEN);
		return true;
	}
	tracee->group->fast.collides_since = 0;
	if (effect != EFFECT_MAPS || watch(t, tracee))
		return false;
	call_again(tracee, number);
	return true;
}

void door_mapped(struct pt_tracer *t, struct tracee *tracee)
{
	if (!tracee->fast.may_map)
		return;
	tracee->fast.may_map = false;
	if (tracee->group->fast.image || tracee->closely.always || !mapped_within(tracee->tid, FAST_DATA, FAST_END))
		return;
	tracee->group->fast.slow = true;
	closely_watch(t, tracee, false);
}

bool door_is_taken(const struct pt_tracer *t, const struct tracee *tracee)
{
	return t->options.fast && t->filtered && mapped_within(tracee->tid, FAST_DATA, FAST_END);
}
