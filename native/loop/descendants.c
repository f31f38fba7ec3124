/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Who is whose child is read from all of /proc: /proc/TID/task/TID/children skips some while others exit, and is not in
 * every kernel. A child of a tracee is traced from its birth on. So each look leaves fewer that could be missed, and
 * when one has found nothing new there is nobody left to fork unseen; but for a thread that was in the middle of its
 * fork when it was seized (follow.c).
 *
 * ptmon itself is left out, and who waits for it: a tracer that stops its own parents would wait for itself.
 */
#include "loop/descendants.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loop/seize.h"
#include "machine/proc.h"
#include "process/tracee.h"
#include "records/emit.h"

struct look {
	struct seen {
		pid_t pid;
		bool done;
		struct proc_process process;
	} *seen;
	size_t count;
	size_t capacity;
};

/* Room for one more element of an array. */
static bool make_room(void **array, size_t size, size_t count, size_t *capacity)
{
	size_t wanted = *capacity ? 2 * *capacity : 64;
	void *more;

	if (count < *capacity)
		return true;
	more = realloc(*array, wanted * size);
	if (!more)
		return false;
	*array = more;
	*capacity = wanted;
	return true;
}

int attaching_add(struct attaching *attaching, pid_t pid)
{
	size_t capacity = attaching->capacity;
	void *pids = attaching->pids;

	if (!make_room(&pids, sizeof(pid_t), attaching->count, &capacity))
		return -ENOMEM;
	attaching->pids = pids;
	attaching->capacity = (unsigned int)capacity;
	attaching->pids[attaching->count++] = pid;
	return 0;
}

static int look_at_all(struct look *look)
{
	DIR *folder = opendir("/proc");
	struct dirent *entry;
	int error = folder ? 0 : -errno;

	while (!error && (entry = readdir(folder))) {
		struct seen one = {.pid = atoi(entry->d_name)};
		void *seen = look->seen;

		if (one.pid <= 0 || proc_process(one.pid, &one.process) < 0)
			continue;
		if (!make_room(&seen, sizeof(one), look->count, &look->capacity))
			error = -ENOMEM;
		look->seen = seen;
		if (!error)
			look->seen[look->count++] = one;
	}
	if (folder)
		closedir(folder);
	return error;
}

static bool was_left_out(const struct pt_tracer *t, pid_t pid)
{
	for (unsigned int i = 0; i < t->left_out.count; i++)
		if (t->left_out.list[i].pid == pid)
			return true;
	return false;
}

static bool is_traced(struct pt_tracer *t, pid_t pid)
{
	return tracee_find(t, pid) || tracee_of_group(t, pid, NULL);
}

/* ptmon, its parent, and so on. */
static bool waits_for_us(pid_t pid)
{
	struct proc_process process;

	for (pid_t one = getpid(); one > 1; one = process.parent) {
		if (one == pid)
			return true;
		if (proc_process(one, &process) < 0)
			return false;
	}
	return false;
}

/* If more processes were left out since there were `since` of them: how many there are of each reason by now. */
static void report_left_out(struct pt_tracer *t, pid_t root, unsigned int since)
{
	static const enum pt_reason reasons[] = {PT_REASON_TRACED, PT_REASON_FORBIDDEN};
	const struct tracee nobody = {.tid = root};

	for (unsigned int i = 0; i < sizeof(reasons) / sizeof(*reasons); i++) {
		struct pt_record *record;
		uint64_t count = 0;
		int error = 0;

		for (unsigned int j = 0; j < t->left_out.count; j++) {
			const struct left_out *one = &t->left_out.list[j];

			if (one->root != root || one->reason != reasons[i])
				continue;
			count++;
			error = j >= since ? one->error : error;
		}
		record = error ? emit(t, PT_WARNING, &nobody, NULL, 0) : NULL;
		if (!record)
			continue;
		record->value = (int32_t)reasons[i];
		record->error = error;
		record->calls = count;
	}
}

static int leave_out(struct pt_tracer *t, pid_t root, pid_t pid, int error)
{
	const bool traced = error != -EACCES && proc_status(pid, "TracerPid:", 10) > 0;
	const enum pt_reason reason = traced ? PT_REASON_TRACED : PT_REASON_FORBIDDEN;
	struct left_out *more = realloc(t->left_out.list, (t->left_out.count + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	t->left_out.list = more;
	t->left_out.list[t->left_out.count++] = (struct left_out){
		.pid = pid, .root = root, .reason = reason, .error = -error};
	return 0;
}

/* 1: seized; 0: there is nothing to seize, or it was left out; -errno. */
static int seize_one(struct pt_tracer *t, struct attaching *attaching, const struct seen *seen)
{
	struct proc_process now;
	int32_t step;
	int result;

	/* The look was a while ago, and the pid may be another process's by now. If that one is a child of the same
	 * parent it is wanted all the same, and so is one whose parent has gone meanwhile. (Between this check and the
	 * seize the pid is not given out anew: all others would have to be first.) */
	if (proc_process(seen->pid, &now) < 0 ||
	    (now.parent != seen->process.parent && now.started != seen->process.started))
		return 0;
	result = seize_process(t, seen->pid, tracee_of_group(t, seen->process.parent, NULL), &step);
	if (result == -ESRCH)
		return 0;
	if (result < 0 && result != -ENOMEM)
		return leave_out(t, attaching->root, seen->pid, result);
	return result > 0 ? (attaching_add(attaching, seen->pid) < 0 ? -ENOMEM : 1) : result;
}

static int seize_children(struct pt_tracer *t, struct attaching *attaching, struct look *look, bool *again)
{
	int seized = 0;

	*again = false;
	for (size_t i = 0; i < look->count; i++) {
		struct seen *seen = &look->seen[i];
		int one;

		if (seen->done || (!is_traced(t, seen->process.parent) && !was_left_out(t, seen->process.parent)))
			continue;
		seen->done = *again = true;
		if (is_traced(t, seen->pid) || was_left_out(t, seen->pid) || waits_for_us(seen->pid))
			continue;
		one = seize_one(t, attaching, seen);
		if (one < 0)
			return one;
		seized += one;
	}
	return seized;
}

int descendants_seize(struct pt_tracer *t, struct attaching *attaching)
{
	const unsigned int before = t->left_out.count;
	struct look look = {0};
	bool again = true;
	int seized = look_at_all(&look), one;

	while (again && seized >= 0) {
		one = seize_children(t, attaching, &look, &again);
		seized = one < 0 ? one : seized + one;
	}
	if (t->left_out.count > before)
		report_left_out(t, attaching->root, before);
	free(look.seen);
	return seized;
}
