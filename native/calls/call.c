/* SPDX-License-Identifier: GPL-2.0-only */
#include "calls/call.h"

#include <errno.h>
#include <linux/close_range.h>
#include <sched.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>

#include "calls/aio.h"
#include "calls/restart.h"
#include "calls/sandbox.h"
#include "calls/socketcall.h"
#include "calls/transfer.h"
#include "machine/memory.h"
#include "machine/registers.h"
#include "process/clone.h"
#include "process/tracee.h"
#include "records/emit.h"
#include "sockets/files.h"
#include "sockets/rings.h"
#include "sockets/rows.h"
#include "sockets/sockets.h"

bool call_counts(const struct pt_tracer *t, const struct tracee *tracee)
{
	return t->counting && tracee->group->counted && !tracee->fresh;
}

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

static void close_range_enter(struct pt_tracer *t, struct tracee *tracee)
{
	unsigned int first = (unsigned int)tracee->call.args[0], last = (unsigned int)tracee->call.args[1];
	uint64_t flags = tracee->call.args[2];

	/* With CLOEXEC nothing is closed now. With UNSHARE the exit shows the tracee a table of its own. */
	if (first > last || flags & CLOSE_RANGE_CLOEXEC)
		return;
	files_each(t, tracee, first, last, socket_closing);
	if (!(flags & CLOSE_RANGE_UNSHARE))
		files_closing(t, tracee, first, last);
}

/* The socket gets another peer. With AF_UNSPEC a TCP socket loses its connection and the kernel its counts. */
static void connect_enter(struct pt_tracer *t, struct tracee *tracee, int fd)
{
	struct socket *socket = files_known(t, tracee->files, fd);
	uint16_t family = AF_UNSPEC;

	if (socket && !socket->info.inode)
		return; /* known by a question (question.c): nothing that was emitted changes */
	if (memory_read(tracee->tid, tracee->call.args[1], &family, sizeof(family)) == 0 && family == AF_UNSPEC &&
	    files_lookup(t, tracee, fd, &socket) == 1)
		socket->existed = true;
	if (call_counts(t, tracee))
		socket_note(t, tracee, fd);
	files_closing(t, tracee, (unsigned int)fd, (unsigned int)fd);
}

/* Calls that change what fds mean. True if the exit-stop is needed. */
static bool files_enter(struct pt_tracer *t, struct tracee *tracee)
{
	const struct call *call = &tracee->call;
	int fd = call->entry->fd < 0 ? -1 : (int)call->args[call->entry->fd];

	switch (call->entry->rule) {
	case RULE_CLOSE:
		files_close(t, tracee, fd, socket_closing);
		return false;
	case RULE_DUP:
		if (fd != (int)call->args[0])
			files_close(t, tracee, fd, socket_closing);
		return false;
	case RULE_CONNECT:
		connect_enter(t, tracee, fd);
		return false;
	case RULE_CLOSE_RANGE:
		close_range_enter(t, tracee);
		return (call->args[2] & CLOSE_RANGE_UNSHARE) != 0;
	case RULE_UNSHARE:
		return (call->args[0] & CLONE_FILES) != 0;
	case RULE_EXEC:
		/* Those with close-on-exec are gone when PTRACE_EVENT_EXEC is reported. If the execve fails, or they
		 * stay open, a later reading replaces this one. */
		files_each(t, tracee, 0, UINT32_MAX, socket_may_close);
		return false;
	default:
		return false;
	}
}

static bool special_enter(struct pt_tracer *t, struct tracee *tracee)
{
	switch (tracee->call.entry->rule) {
	case RULE_CLONE:
	case RULE_CLONE3:
	case RULE_VFORK:
		return clone_enter(t, tracee);
	case RULE_SECCOMP:
	case RULE_PRCTL:
		return sandbox_enter(t, tracee);
	case RULE_IO_URING:
		if (t->options.no_io_uring)
			sandbox_answer(tracee, -ENOSYS);
		return !t->options.no_io_uring;
	case RULE_IO_URING_ENTER:
		rings_used(t, tracee, tracee->call.entry);
		return false;
	case RULE_IO_SUBMIT:
		aio_enter(t, tracee);
		return false;
	case RULE_PTRACE:
	case RULE_PIDFD_GETFD:
		return true;
	default:
		return files_enter(t, tracee);
	}
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

	call->entry = syscall_find(call->abi, call->number);
	if (!call->entry)
		return false;
	if (call->entry->rule == RULE_SOCKETCALL && !unpack_socketcall(t, tracee)) {
		call->entry = NULL;
		return false;
	}
	call->skipped = !made;
	/* A transfer that is refused is one that fails; any other call that is not made changes nothing. */
	if (syscall_transfers(call->entry) ? call_counts(t, tracee) && transfer_enter(t, tracee)
					   : made && special_enter(t, tracee))
		return true;
	transfer_release(t, tracee);
	call->entry = NULL;
	return false;
}

/* ptrace(2) requests that make a tracee, which a tracee of ours can't become */
static bool would_trace(uint64_t request)
{
	return request == PTRACE_TRACEME || request == PTRACE_ATTACH || request == PTRACE_SEIZE;
}

void call_exit(struct pt_tracer *t, struct tracee *tracee, int64_t result)
{
	struct call *call = &tracee->call;
	const struct syscall_entry *entry = call->entry;

	if (!entry)
		return;
	switch (entry->rule) {
	case RULE_UNSHARE:
	case RULE_CLOSE_RANGE:
		if (result == 0 && files_replace(t, tracee) < 0)
			emit_warning(t, tracee, PT_REASON_NO_MEMORY, entry, ENOMEM);
		break;
	case RULE_CLONE:
	case RULE_CLONE3:
		clone_exit(tracee);
		break;
	case RULE_SECCOMP:
	case RULE_PRCTL:
		sandbox_exit(t, tracee, result);
		break;
	case RULE_IO_URING:
		if (result >= 0)
			rings_used(t, tracee, entry);
		break;
	case RULE_PIDFD_GETFD:
		if (result >= 0)
			rings_got(t, tracee, entry, (int)result);
		break;
	case RULE_PTRACE:
		if (result == -EPERM && would_trace(call->args[0]))
			emit_warning(t, tracee, PT_REASON_PTRACE, entry, EPERM);
		break;
	default:
		if (!sandbox_trapped(tracee, result) && call_counts(t, tracee))
			transfer_exit(t, tracee, result);
	}
	transfer_release(t, tracee);
	call->entry = NULL;
}

void call_cut_short(struct pt_tracer *t, struct tracee *tracee)
{
	const struct call *call = &tracee->call;
	struct registers regs;
	int64_t moved;

	/* exit_group by another thread and SIGKILL end a call without an exit-stop, after it may have moved its
	 * bytes. The return register holds their number then. */
	if (call->entry && syscall_transfers(call->entry) && !tracee->resumed.gone_on && call_counts(t, tracee) &&
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
