/* SPDX-License-Identifier: GPL-2.0-only
 *
 * A process is seized thread by thread. New threads of those that are held become tracees by themselves; new threads of
 * those that are not yet held do not. So the list of threads is read again until a whole pass has found none to seize.
 *
 * The leader comes first, unless it has exited (pthread_exit(3) in main): then it is a zombie until the others have
 * exited, too, which can't be seized and has neither memory nor fds.
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
#include "rings.h"
#include "sandbox.h"
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
		return (error == ESRCH && leader) || !proc_lives(tid) ? 0 : -error;
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

/* first: no more than one thread. */
static int seize_pass(struct pt_tracer *t, pid_t pid, bool first)
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

/* 1, or -errno. */
static int seize_first(struct pt_tracer *t, pid_t pid)
{
	int seized = seize_thread(t, pid, pid);

	if (seized == 0)
		seized = seize_pass(t, pid, true);
	return seized == 0 && !tracee_of_group(t, pid, NULL) ? -ESRCH : seized;
}

static void tell_attached(struct pt_tracer *t, struct tracee *first)
{
	struct pt_record *record;

	if (t->only)
		first->group->counted = proc_runs(first->group->tgid, t->only);
	if (!first->group->counted)
		return;
	first->group->told = true;
	record = program_tell(t, first, PT_ATTACHED);
	if (record)
		record->value = first->group->parent;
}

int pt_attach(struct pt_tracer *t, int pid, int32_t *step)
{
	struct tracee *first;
	int seized, pass;

	*step = PT_STEP_READ;
	if (t->foreign_proc)
		return -EXDEV;
	*step = PT_STEP_SEIZE;
	fast_prepare(t, proc_living(pid));
	t->now = now_ns();
	seized = seize_first(t, pid);
	if (seized < 0)
		return seized;
	first = tracee_of_group(t, pid, NULL);
	tell_attached(t, first);
	*step = PT_STEP_READ;
	if (sockets_existed(t, first->tid) < 0)
		emit_warning(t, first, PT_REASON_UNREADABLE, NULL, EACCES);
	*step = PT_STEP_SEIZE;
	rings_found(t, first);
	sandbox_found(t, first);
	for (int i = 0; i < MOST_PASSES && (pass = seize_pass(t, pid, false)) != 0; i++) {
		if (pass < 0)
			return pass;
		seized += pass;
	}
	await_begin(t, first->group);
	fast_attached(t, first->group);
	return seized;
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
