/* SPDX-License-Identifier: GPL-2.0-only
 *
 * A process is seized thread by thread. New threads of those that are held become tracees by themselves; new threads of
 * those that are not yet held do not. So the list of threads is read again until a whole pass has found none to seize.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include "await.h"
#include "clone.h"
#include "detach.h"
#include "emit.h"
#include "fast/fast.h"
#include "loop.h"
#include "options.h"
#include "proc.h"
#include "program.h"
#include "signals.h"
#include "sockets.h"
#include "tracee.h"

#define MOST_PASSES 1000 /* a process that makes threads faster than they can be seized: some are missed, and said */
#define DETACH_PATIENCE_NS (3 * NSEC_PER_SEC)
#define DETACH_GRACE_NS (NSEC_PER_SEC / 10) /* for those in calls that would be cut short */

/* 1: seized; 0: there is nothing to seize (it exited, or is a tracee of ours already); -errno. */
static int seize_thread(struct pt_tracer *t, pid_t pid, pid_t tid)
{
	struct tracee *leader = tracee_of_group(t, pid, NULL), *tracee;
	int error;

	if (tracee_find(t, tid))
		return 0;
	if (ptrace(PTRACE_SEIZE, tid, 0, options_of(t)) < 0) {
		error = errno;
		/* Born of a thread that is held: its first stop is on its way. */
		if (error == EPERM && proc_status(tid, "TracerPid:", 10) == getpid())
			return 0;
		return error == ESRCH && leader ? 0 : -error;
	}
	tracee = tracee_create(t, tid);
	if (!tracee || tracee_join(t, tracee, leader ? leader->group : NULL, pid, (pid_t)proc_status(pid, "PPid:", 10),
				   leader ? leader->files : NULL) < 0)
		return -ENOMEM;
	tracee->state = TRACEE_RUNNING;
	tracee->seized = tracee->continues = true;
	if (tracee->group->counted && leader)
		clone_tell(t, tracee);
	return 1;
}

static int seize_pass(struct pt_tracer *t, pid_t pid)
{
	char path[64];
	struct dirent *entry;
	int seized = 0, one;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	folder = opendir(path);
	if (!folder)
		return -errno;
	while ((entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		one = seize_thread(t, pid, atoi(entry->d_name));
		if (one < 0) {
			closedir(folder);
			return one;
		}
		seized += one;
	}
	closedir(folder);
	return seized;
}

static void tell_attached(struct pt_tracer *t, struct tracee *leader)
{
	struct pt_record *record;

	if (t->only)
		leader->group->counted = proc_runs(leader->group->tgid, t->only);
	if (!leader->group->counted)
		return;
	leader->group->told = true;
	record = program_tell(t, leader, PT_ATTACHED);
	if (record)
		record->value = leader->group->parent;
}

int pt_attach(struct pt_tracer *t, int pid, int32_t *step)
{
	int seized = 0, pass, error;

	*step = PT_STEP_SEIZE;
	fast_prepare(t, pid);
	t->now = now_ns();
	error = seize_thread(t, pid, pid);
	if (error < 0)
		return error;
	tell_attached(t, tracee_find(t, pid));
	*step = PT_STEP_READ;
	if (sockets_existed(t, pid) < 0)
		emit_warning(t, tracee_find(t, pid), PT_REASON_UNREADABLE, NULL, EACCES);
	*step = PT_STEP_SEIZE;
	for (int i = 0; i < MOST_PASSES && (pass = seize_pass(t, pid)) != 0; i++) {
		if (pass < 0)
			return pass;
		seized += pass;
	}
	await_begin(t, tracee_of_group(t, pid, NULL)->group);
	fast_attached(t, tracee_of_group(t, pid, NULL)->group);
	return seized + 1;
}

int pt_detach(struct pt_tracer *t, struct pt_batch *batch)
{
	const int64_t begin = now_ns(), end = begin + DETACH_PATIENCE_NS, grace = begin + DETACH_GRACE_NS;

	emit_continue(t);
	detach_begin(t);
	signals_start_ticks(t);
	/* A tracee that can't stop (uninterruptible sleep, such as a parent in vfork) is let go by the kernel when
	 * ptmon exits. */
	while (t->tracee_count && now_ns() < end) {
		unsigned int left = detach_ask(t);

		if ((left == t->tracee_count && now_ns() > grace) || loop_step(t) == -ECHILD)
			break;
	}
	signals_stop_ticks(t);
	detach_end(t);
	emit_end(t, batch);
	return 0;
}
