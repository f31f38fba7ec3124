/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * CLONE_UNTRACED would make a child that is not traced, yet has our seccomp filter: each watched call of it would fail
 * with ENOSYS. So the flag is taken out before the call, and put back where the program can see it.
 */
#include "process/untraced.h"

#include <linux/sched.h>

#include "machine/memory.h"
#include "machine/registers.h"
#include "sockets/rings.h"
#include "state/door.h"

/* clone3's flags are the first 64-bit word of its struct; the flag that matters is in the low 32. */
static bool toggle_clone3(pid_t tid, uint64_t address)
{
	uint64_t flags;

	if (memory_read(tid, address, &flags, sizeof(flags)) < 0)
		return false;
	return memory_write_word(tid, address, (unsigned long)(flags ^ CLONE_UNTRACED)) == 0;
}

static bool toggle_clone(pid_t tid, bool compat)
{
	struct registers regs;

	if (registers_read(tid, &regs) < 0)
		return false;
	registers_set_argument(&regs, registers_argument(&regs, 0, compat) ^ CLONE_UNTRACED, compat);
	return registers_write(tid, &regs) == 0;
}

/* In the tracee's call, or in what its child has copied of it. */
static bool toggle_untraced(pid_t tid, const struct call *call)
{
	if (call->entry->rule == RULE_CLONE3)
		return toggle_clone3(tid, call->args[0]);
	return toggle_clone(tid, call->compat);
}

/* A child that is not to be followed has no tracer. In shared memory it would run stubs, make a request that nobody
 * answers (fast/image/request.S), and then set FAST_ALONE for all who run there. What it does to shared fds nobody
 * would see. */
static void before_unfollowed(struct pt_tracer *t, struct tracee *tracee, uint64_t flags)
{
	if (!t->options.no_follow || flags & CLONE_THREAD)
		return;
	if (flags & CLONE_VM)
		fast_withdraw(t, tracee, PT_FALLBACK_UNFOLLOWED);
	if (flags & CLONE_FILES)
		rings_shared(t, tracee);
}

bool untraced_enter(struct pt_tracer *t, struct tracee *tracee)
{
	const struct call *call = &tracee->call;
	uint64_t flags = call->entry->rule == RULE_VFORK ? CLONE_VM | CLONE_VFORK : call->args[0];

	if (call->entry->rule == RULE_CLONE3 && memory_read(tracee->tid, call->args[0], &flags, sizeof(flags)) < 0)
		return false;
	before_unfollowed(t, tracee, flags);
	if (!(flags & CLONE_UNTRACED))
		return false;
	tracee->hid_untraced = toggle_untraced(tracee->tid, call);
	return tracee->hid_untraced;
}

void untraced_put_back(struct tracee *tracee)
{
	if (!tracee->hid_untraced)
		return;
	/* aarch64: the argument's register holds the return value by now, there is nothing to put back. */
	if (tracee->call.entry->rule == RULE_CLONE3 || ABI_NATIVE == ABI_X86_64)
		toggle_untraced(tracee->tid, &tracee->call);
	tracee->hid_untraced = false;
}

void untraced_exit(struct pt_tracer *t, struct tracee *tracee, int64_t result)
{
	(void)t;
	(void)result;
	untraced_put_back(tracee);
}
