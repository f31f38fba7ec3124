/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A race that shapes this file: the child's first stop and the parent's event come in either order. A child that
 * comes first (TRACEE_NEWBORN) waits in its stop for the event; a parent that comes first leaves a TRACEE_EXPECTED.
 */
#include "process/clone.h"

#include <linux/sched.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "machine/memory.h"
#include "machine/proc.h"
#include "machine/registers.h"
#include "process/breakpoint.h"
#include "process/tracee.h"
#include "process/untraced.h"
#include "records/emit.h"
#include "sockets/files.h"
#include "sockets/rings.h"
#include "state/door.h"

/* The likely flags, where a process can't be read or its calls are not decoded: a thread mostly shares its fd table, a
 * process does not. */
static uint64_t likely_flags(const struct tracee *parent)
{
	return proc_status(parent->tid, "Threads:", 10) > parent->group->threads ? CLONE_THREAD | CLONE_FILES : 0;
}

/* The flags that the parent, stopped in its event, gave to the call. fork and vfork have none that count. */
static uint64_t flags_of(struct pt_tracer *t, struct tracee *parent)
{
	struct __ptrace_syscall_info info = {0};
	const struct syscall_entry *entry;
	struct registers regs;
	uint64_t flags;
	enum abi abi;

	if (registers_read(parent->tid, &regs) < 0)
		return 0;
	ptrace(PTRACE_GET_SYSCALL_INFO, parent->tid, sizeof(info), &info);
	abi = abi_of(info.arch);
	entry = syscall_find(abi, registers_number(&regs));
#ifdef SYS_vfork /* aarch64 has clone(2) alone */
	if (abi == ABI_NATIVE && registers_number(&regs) == SYS_vfork)
		return CLONE_VM | CLONE_VFORK;
#endif
	if (abi == ABI_COUNT)
		return likely_flags(parent);
	if (!entry || (entry->rule != RULE_CLONE && entry->rule != RULE_CLONE3))
		return 0;
	flags = registers_argument(&regs, 0, abi != ABI_NATIVE);
	if (entry->rule == RULE_CLONE3 && memory_read(parent->tid, flags, &flags, sizeof(flags)) < 0) {
		flags = likely_flags(parent);
		/* The child may share its parent's fds. Then an fd that one of both closes would be taken for open in
		 * the other. */
		if (!(flags & CLONE_THREAD))
			emit_warning(t, parent, PT_REASON_UNREADABLE, entry, EPERM);
	}
	return flags;
}

void clone_emit(struct pt_tracer *t, struct tracee *child)
{
	struct pt_record *record;

	record = emit(t, PT_CLONE, child, NULL, 0);
	if (record)
		record->value = child->group->parent;
	child->group->emitted = true;
}

/* Which of our filters has the child's process? Those of its parent, unless that one is behind: it may have got one
 * since. An orphan's parent is not known for sure, nor what that one had: it is watched closely. */
static void inherit_filters(struct pt_tracer *t, struct tracee *child, const struct tracee *parent)
{
	struct group *group = child->group;
	const struct group *from = parent ? parent->group : NULL;
	int64_t has = from ? from->filters : 1;

	if (!t->filtered)
		return;
	if (from && t->second.program && parent->behind)
		has = proc_filters(child->tid) - proc_filters(getpid());
	group->filters = has < 1 ? 1 : (unsigned int)has;
	group->closely = from ? from->closely || has < 1 : t->second.program != NULL;
	/* Stubs that it has a copy of are younger than the second one. */
	group->dry = from && !group->closely && !group->fast.image && (from->dry || has < from->filters);
	if (group->dry)
		files_dry(child);
}

/* Makes the child what the call's flags say it is. It stays without a group if it is not to be followed, or if there is
 * no memory for it. */
static void adopt(struct pt_tracer *t, struct tracee *child, struct tracee *parent, uint64_t flags)
{
	bool thread = (flags & CLONE_THREAD) != 0;
	pid_t maker = flags & CLONE_PARENT ? parent->group->parent : parent->group->tgid;

	if (t->options.no_follow && !thread) {
		breakpoint_forked(t, child->tid);
		return;
	}
	if (tracee_join(t, child, thread ? parent->group : NULL, child->tid, maker,
			flags & CLONE_FILES ? parent->files : NULL) < 0) {
		emit_warning(t, parent, PT_REASON_NO_MEMORY, NULL, 0);
		return;
	}
	child->group->counted = parent->group->counted;
	child->group->hidden |= parent->group->hidden;
	fast_cloned(t, child, parent, flags);
	if (!(flags & CLONE_FILES))
		rings_inherited(child, parent);
	if (!thread)
		inherit_filters(t, child, parent);
	if (!(flags & CLONE_VM))
		breakpoint_forked(t, child->tid);
	if (flags & CLONE_VM && !thread)
		tracee_share(child->group, parent->group);
	child->exits_unseen = parent->exits_unseen;
	child->attach.trap_blocked = parent->attach.trap_blocked;
	child->sandbox = parent->sandbox;
	child->closely.always = parent->closely.always;
	/* A child that shares the memory shares clone3's struct too: its parent puts the flag back for both. */
	if (parent->hid_untraced && !(parent->call.entry->rule == RULE_CLONE3 && flags & CLONE_VM)) {
		child->hid_untraced = true;
		child->call = (struct call){.entry = parent->call.entry, .compat = parent->call.compat};
		child->call.args[0] = parent->call.args[0];
	}
	if (child->group->counted)
		clone_emit(t, child);
}

static enum next start(struct pt_tracer *t, struct tracee *child)
{
	if (child->hid_untraced) {
		untraced_put_back(child);
		child->call.entry = NULL;
	}
	fast_born(t, child);
	return child->birth.stopped ? NEXT_LISTEN : NEXT_RESUME;
}

/* The first stop of a child that has no group: one that is not to be followed (no filter is in it then) runs on by
 * itself; one for which there was no memory runs on uncounted, but as a tracee: without a tracer its filter would make
 * its calls fail. */
static enum next pass_on(struct pt_tracer *t, struct tracee *child)
{
	if (!t->options.no_follow)
		return start(t, child);
	fast_left_alone(t, child);
	return NEXT_LET_GO;
}

/* The tid that the event tells, or 0. A SIGKILL may have taken the parent on to PTRACE_EVENT_EXIT, whose message is an
 * exit status: so the message counts only if the parent is still in its event after it was read. */
static pid_t child_of(const struct tracee *parent)
{
	unsigned long message = 0;
	siginfo_t info = {0};

	if (ptrace(PTRACE_GETEVENTMSG, parent->tid, 0, &message) < 0 ||
	    ptrace(PTRACE_GETSIGINFO, parent->tid, 0, &info) < 0 || info.si_code >> 8 == PTRACE_EVENT_EXIT)
		return 0;
	return (pid_t)message;
}

enum next clone_event(struct pt_tracer *t, struct tracee *parent, struct tracee **stands)
{
	uint64_t flags = flags_of(t, parent);
	pid_t tid = child_of(parent);
	struct tracee *child = tid ? tracee_find(t, tid) : NULL;
	bool born = child != NULL;

	*stands = NULL;
	if (!tid)
		return NEXT_STAY;
	if (born && child->state != TRACEE_NEWBORN)
		return NEXT_RESUME;
	if (!born)
		child = tracee_create(t, tid);
	if (!child)
		return NEXT_RESUME;
	adopt(t, child, parent, flags);
	child->state = TRACEE_EXPECTED;
	*stands = born ? child : NULL;
	return NEXT_RESUME;
}

enum next clone_birth(struct pt_tracer *t, struct tracee *child)
{
	return child->group ? start(t, child) : pass_on(t, child);
}

/* On a busy machine a parent may take so long to come to its event. A child that is taken for an orphan before is
 * thought to have fds of its own, though it may share its parent's. */
#define ORPHAN_NS (NSEC_PER_SEC / 2)

static void adopt_orphan(struct pt_tracer *t, struct tracee *child)
{
	pid_t tgid = (pid_t)proc_status(child->tid, "Tgid:", 10);
	pid_t ppid = (pid_t)proc_status(child->tid, "PPid:", 10);
	struct tracee *sibling, *parent;

	sibling = tgid > 0 ? tracee_of_group(t, tgid, child) : NULL;
	parent = sibling ? sibling : tracee_of_group(t, ppid, child);
	if (tracee_join(t, child, sibling ? sibling->group : NULL, child->tid, ppid, sibling ? sibling->files : NULL) ==
	    0) {
		child->sandbox = parent && parent->sandbox ? SANDBOX_OWN : SANDBOX_NONE;
		child->closely.always = parent && parent->closely.always;
		child->exits_unseen = t->filtered; /* perhaps: it is set when it is resumed */
		child->group->counted = !parent || parent->group->counted;
		if (!sibling)
			fast_cloned(t, child, NULL, 0);
		if (!sibling && parent)
			rings_inherited(child, parent);
		if (!sibling)
			inherit_filters(t, child, NULL);
		if (child->group->counted)
			clone_emit(t, child);
	}
	next_do(t, child->tid, start(t, child), 0);
}

void clone_adopt_orphans(struct pt_tracer *t)
{
	struct tracee *child;

	if (!t->newborns)
		return;
	for_each_tracee (t, child)
		if (child->state == TRACEE_NEWBORN && t->now - child->birth.since >= ORPHAN_NS)
			adopt_orphan(t, child);
}
