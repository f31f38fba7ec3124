/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "records/debug.h"

#include <sys/ptrace.h>
#include <sys/wait.h>

#include "machine/registers.h"

static struct pt_debug_entry *add(struct pt_debug *debug, enum pt_debug_event event, pid_t tid,
				  const struct pt_debug_entry *from)
{
	struct pt_debug_entry *entry = &debug->entries[debug->count++ % PT_DEBUG_ENTRIES];

	*entry = *from;
	entry->time = (uint64_t)now_ns();
	entry->event = (uint16_t)event;
	entry->tid = tid;
	return entry;
}

void debug_add(struct pt_debug *debug, enum pt_debug_event event, pid_t tid, const struct pt_debug_entry *entry)
{
	add(debug, event, tid, entry);
}

/* At an exit-stop the kernel does not say which call it was, but the registers do. */
static void read_exit(pid_t tid, struct pt_debug_entry *entry)
{
	struct registers regs;

	entry->number = registers_read(tid, &regs) == 0 ? registers_number(&regs) : UINT64_MAX;
}

void debug_add_stop(struct pt_debug *debug, pid_t tid, int status)
{
	struct pt_debug_entry entry = {.status = status, .number = UINT64_MAX};
	struct __ptrace_syscall_info info = {0};

	if (WIFSTOPPED(status) && ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), &info) > 0) {
		entry.op = info.op;
		entry.compat = abi_of(info.arch) != ABI_NATIVE;
		entry.address = info.instruction_pointer;
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY || info.op == PTRACE_SYSCALL_INFO_SECCOMP)
			entry.address -= REGISTERS_CALL_LENGTH; /* the kernel says where it will go on */
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
			entry.number = info.entry.nr;
		} else if (info.op == PTRACE_SYSCALL_INFO_SECCOMP) {
			entry.number = info.seccomp.nr;
		} else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
			entry.result = info.exit.rval;
			read_exit(tid, &entry);
		}
	}
	add(debug, PT_DEBUG_STOP, tid, &entry);
	debug->stop = debug->count;
}

/* The stop that is being handled, if this is its thread's. */
static struct pt_debug_entry *stop_in_hand(struct pt_debug *debug, pid_t tid)
{
	struct pt_debug_entry *stop = &debug->entries[(debug->stop - 1) % PT_DEBUG_ENTRIES];

	if (!debug->stop || debug->count - debug->stop >= PT_DEBUG_ENTRIES || stop->tid != tid ||
	    stop->next != PT_DEBUG_IN_HAND)
		return NULL;
	return stop;
}

void debug_add_next(struct pt_debug *debug, pid_t tid, enum pt_debug_next next, int signal)
{
	static const struct pt_debug_entry none;
	struct pt_debug_entry *entry = stop_in_hand(debug, tid);

	/* Another one than that whose stop is being handled: a child beside its parent, one that a hook has held. */
	if (!entry)
		entry = add(debug, PT_DEBUG_RESUMED, tid, &none);
	entry->next = (uint8_t)next;
	entry->signal = (uint8_t)signal;
}
