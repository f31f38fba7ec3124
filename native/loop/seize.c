/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The leader comes first, unless it has exited (pthread_exit(3) in main): then it is a zombie until the others have
 * exited, too, which can't be seized and has neither memory nor fds.
 */
#include "loop/seize.h"

#include <dirent.h>
#include <errno.h>
#include <linux/kcmp.h>
#include <linux/sched.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include "calls/sandbox.h"
#include "loop/program.h"
#include "machine/proc.h"
#include "machine/proc_path.h"
#include "machine/proc_program.h"
#include "process/breakpoint.h"
#include "process/clone.h"
#include "process/tracee.h"
#include "records/emit.h"
#include "sockets/rings.h"
#include "sockets/sockets.h"
#include "state/door.h"
#include "state/options.h"

#ifndef PF_EXITING
#define PF_EXITING 0x4 /* linux/sched.h */
#endif
#ifndef PF_FORKNOEXEC
#define PF_FORKNOEXEC 0x40 /* "forked but didn't exec", linux/sched.h */
#endif

/* 1: seized; 0: there is nothing to seize (it exited, or is a tracee of ours already); -errno. */
static int seize_thread(struct pt_tracer *t, pid_t pid, pid_t tid, struct files *files)
{
	struct tracee *leader = tracee_of_group(t, pid, NULL), *tracee;
	int error;

	if (tracee_find(t, tid))
		return 0;
	if (ptrace(PTRACE_SEIZE, tid, 0, options_of(t)) < 0) {
		error = errno;
		/* Born of a tracee: its first stop is on its way. */
		if (error == EPERM && proc_status(tid, "TracerPid:", 10) == gettid())
			return 0;
		return (error == ESRCH && leader) || !proc_lives(tid) ? 0 : -error;
	}
	tracee = tracee_create(t, tid);
	if (!tracee || tracee_join(t, tracee, leader ? leader->group : NULL, pid, (pid_t)proc_status(pid, "PPid:", 10),
				   leader ? leader->files : files) < 0)
		return -ENOMEM;
	tracee->state = TRACEE_RUNNING;
	tracee->attach.await = AWAIT_STOP;
	tracee->resumed.by_cont = tracee->attach.unsettled = true;
	if (tracee->group->counted && leader)
		clone_emit(t, tracee);
	return 1;
}

/* first: no more than one thread. */
static int seize_pass(struct pt_tracer *t, pid_t pid, struct files *files, bool first)
{
	char path[PROC_PATH];
	struct dirent *entry;
	int seized = 0, one;
	DIR *folder;

	one = proc_path(path, pid, "task");
	if (one < 0)
		return one;
	folder = opendir(path);
	if (!folder)
		return errno == ENOENT ? -ESRCH : -errno;
	while (!(first && seized) && (entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		one = seize_thread(t, pid, atoi(entry->d_name), files);
		if (one < 0) {
			closedir(folder);
			return one;
		}
		seized += one;
	}
	closedir(folder);
	return seized;
}

int seize_threads(struct pt_tracer *t, pid_t pid)
{
	return seize_pass(t, pid, NULL, false);
}

/* 1, or -errno. */
static int seize_first(struct pt_tracer *t, pid_t pid, struct files *files)
{
	int seized = seize_thread(t, pid, pid, files);

	if (seized == 0)
		seized = seize_pass(t, pid, files, true);
	return seized == 0 && !tracee_of_group(t, pid, NULL) ? -ESRCH : seized;
}

/* A child in its parent's memory (vfork, or clone with CLONE_VM) is not to be patched, nor is its parent meanwhile. */
static void join_memory(struct pt_tracer *t, struct tracee *child, const struct tracee *parent)
{
	struct proc_process process = {0};
	int shares = proc_share(child->tid, parent->tid, KCMP_VM);

	if (shares == 1) {
		tracee_share(child->group, parent->group);
		return;
	}
	if (shares < 0 && (proc_process(child->tid, &process) < 0 || process.flags & PF_FORKNOEXEC))
		child->group->fast.slow = parent->group->fast.slow = true;
	/* If it was forked after its parent was seized it has a copy of the breakpoints that meet.c has put there. */
	breakpoint_forked(t, child->tid);
}

static void join_parent(struct pt_tracer *t, struct tracee *child, const struct tracee *parent)
{
	if (child->files == parent->files)
		/* An fd that one of them closes would still be open in the other's slots (fast/count/slots.h). */
		child->group->fast.slow = parent->group->fast.slow = true;
	join_memory(t, child, parent);
}

static void emit_attached(struct pt_tracer *t, struct tracee *first)
{
	struct pt_record *record;

	if (t->only)
		first->group->counted = proc_runs(first->group->tgid, t->only);
	if (!first->group->counted)
		return;
	first->group->emitted = true;
	record = program_emit(t, first, PT_ATTACHED);
	if (record)
		record->value = first->group->parent;
}

/* Its fds are closed, or will be in a moment, and it makes no more calls: that they can't be read hides nothing. (As
 * soon as it has no memory its files in /proc are root's: task_dump_owner() of fs/proc/base.c.) */
static bool is_ending(pid_t pid)
{
	struct proc_process process;
	const int error = proc_process(pid, &process);
	const int64_t threads = error ? 0 : proc_status(pid, "Threads:", 10); /* those of a zombie: none */

	if (error)
		return error == -ENOENT || error == -ESRCH;
	return process.flags & PF_EXITING && (threads == 0 || threads == 1);
}

int seize_process(struct pt_tracer *t, pid_t pid, const struct tracee *parent, int32_t *step)
{
	struct files *files = parent && proc_share(pid, parent->tid, KCMP_FILES) == 1 ? parent->files : NULL;
	struct tracee *first;
	int seized;

	*step = PT_STEP_SEIZE;
	fast_prepare(t, proc_living(pid));
	t->now = now_ns();
	seized = seize_first(t, pid, files);
	if (seized < 0)
		return seized;
	first = tracee_of_group(t, pid, NULL);
	if (!first || !seized)
		return 0;
	if (parent)
		join_parent(t, first, parent);
	emit_attached(t, first);
	*step = PT_STEP_READ;
	if (sockets_existed(t, first->tid) < 0 && !is_ending(pid))
		emit_warning(t, first, PT_REASON_UNREADABLE, NULL, EACCES);
	*step = PT_STEP_SEIZE;
	rings_found(t, first);
	sandbox_found(t, first);
	return seized;
}
