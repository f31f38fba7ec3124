/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "calls/call.h"

#include <string.h>

#include "calls/restart.h"
#include "calls/rules.h"
#include "calls/socketcall.h"
#include "calls/transfer.h"
#include "machine/registers.h"
#include "process/tracee.h"
#include "records/emit.h"

/* i386: the arguments are an array in memory, and the first says which call it is. */
static bool unpack_socketcall(struct pt_tracer *t, struct tracee *tracee)
{
	struct call *call = &tracee->call;
	const struct syscall_entry *entry;
	int error = socketcall_enter(tracee->tid, &entry, call->args);

	if (error)
		emit_warning(t, tracee, PT_REASON_UNREADABLE, call->entry, -error);
	if (error || !entry)
		return false;
	call->entry = entry;
	return true;
}

void call_begin(struct pt_tracer *t, struct tracee *tracee, enum abi abi, uint64_t number, const uint64_t args[6])
{
	struct call *call = &tracee->call;

	if (call->entry)
		call_abandon(t, tracee);
	restart_forget(t, tracee); /* it was restarted, or another call is made now */
	*call = (struct call){.number = number,
			      .abi = abi,
			      .compat = abi != ABI_NATIVE,
			      .instruction = call->instruction,
			      .stage = call->stage,
			      .before_filters = call->before_filters};
	memcpy(call->args, args, sizeof(call->args));
	tracee->watched.watch = NULL;
	tracee->disguise.on = false;
}

bool call_enter(struct pt_tracer *t, struct tracee *tracee, bool made)
{
	struct call *call = &tracee->call;
	const struct rule_ops *ops;

	call->entry = syscall_find(call->abi, call->number);
	if (!call->entry)
		return false;
	if (call->entry->rule == RULE_SOCKETCALL && !unpack_socketcall(t, tracee)) {
		call->entry = NULL;
		return false;
	}
	call->skipped = !made;
	ops = rules_of(call->entry);
	/* A transfer that is not made is counted all the same, as one that fails; any other call that is not made
	 * changes nothing. */
	if (ops->enter && (made || syscall_transfers(call->entry)) && ops->enter(t, tracee))
		return true;
	transfer_release(t, tracee);
	call->entry = NULL;
	return false;
}

void call_exit(struct pt_tracer *t, struct tracee *tracee, int64_t result)
{
	const struct rule_ops *ops = tracee->call.entry ? rules_of(tracee->call.entry) : NULL;

	if (!ops)
		return;
	if (ops->exit)
		ops->exit(t, tracee, result);
	transfer_release(t, tracee);
	tracee->call.entry = NULL;
}

void call_cut_short(struct pt_tracer *t, struct tracee *tracee)
{
	const struct call *call = &tracee->call;
	struct registers regs;
	int64_t moved;

	/* SIGKILL, and exit_group(2) by another thread, end a call without an exit-stop. It may have moved its bytes
	 * before; then the return register holds their number. */
	if (call->entry && syscall_transfers(call->entry) && !tracee->resumed.gone_on && tracee_counts(t, tracee) &&
	    registers_read(tracee->tid, &regs) == 0) {
		moved = registers_moved(&regs, call->args[0], tracee->call.instruction);
		if (moved > 0)
			transfer_exit(t, tracee, moved);
		else if (moved == REGISTERS_UNKNOWN)
			emit_warning(t, tracee, PT_REASON_DETACHED, call->entry, 0);
	}
	transfer_release(t, tracee);
	tracee->call.entry = NULL;
}

void call_take_back(struct pt_tracer *t, struct tracee *tracee)
{
	restart_forget(t, tracee);
	transfer_release(t, tracee);
	tracee->call.entry = NULL;
}

void call_abandon(struct pt_tracer *t, struct tracee *tracee)
{
	if (tracee->call.socket[0] || tracee->call.socket[1])
		emit_warning(t, tracee, PT_REASON_DETACHED, tracee->call.entry, 0);
	call_take_back(t, tracee);
}
