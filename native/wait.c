/* SPDX-License-Identifier: GPL-2.0-only
 *
 * wait4(-1) reports the newest tracee first. Beside threads that stop again at once an older one would wait for ever.
 * So all that have stopped are found before the first of them is let go on, and are handled in turn.
 */
#include "wait.h"

#include <errno.h>
#include <sched.h>

#define YIELD_NS 50000	/* so long it yields at most */
#define QUICK_NS 100000 /* a blocking wait that was shorter was for a quick stop */
#define QUICK_STOPS 8	/* so many in a row, and it yields */

/* A stop hands the CPU from tracee to tracer and back. If the tracer blocks, each hand-over may wake a CPU that has
 * gone to sleep, which on a virtual machine costs several times the stop itself. So where stops follow each other
 * quickly it yields for a moment before it blocks: the tracee runs meanwhile, mostly on the same CPU, and its next stop
 * is found without any wake-up. Where they do not (a program that starts others) yielding would only take the CPU from
 * them. The tracer's own CPU affinity was tried instead, and lost: the kernel wakes the tracee on whatever CPU is idle.
 * The bound matters: beside programs that use the CPU a yield may last for their whole time slice. */
static pid_t wait_any(struct pt_tracer *t, int *status)
{
	int64_t begin = now_ns();
	pid_t tid;

	while (t->quick_stops >= QUICK_STOPS) {
		tid = waitpid(-1, status, WAIT_FLAGS | WNOHANG);
		if (tid)
			return tid;
		if (now_ns() - begin >= YIELD_NS)
			t->quick_stops = 0;
		else
			sched_yield();
	}
	tid = waitpid(-1, status, WAIT_FLAGS);
	t->quick_stops = now_ns() - begin < QUICK_NS ? t->quick_stops + 1 : 0;
	return tid;
}

/* Those that have stopped or ended beside the first. None of them is resumed meanwhile, so there is an end to it. */
static void find_others(struct pt_tracer *t)
{
	struct found *found = &t->found;
	int status;
	pid_t tid;

	found->next = found->count = 0;
	while (t->tracee_count > 1 && found->count < FOUND_MOST &&
	       (tid = waitpid(-1, &status, WAIT_FLAGS | WNOHANG)) > 0)
		found->stops[found->count++] = (struct found_stop){.tid = tid, .status = status};
}

void wait_keep(struct pt_tracer *t, pid_t tid, int status)
{
	struct found *found = &t->found;

	found->stops[found->count++] = (struct found_stop){.tid = tid, .status = status};
}

pid_t wait_for(struct pt_tracer *t, pid_t tid, int *status)
{
	struct found *found = &t->found;
	pid_t got;

	if (found->next == found->count)
		found->next = found->count = 0;
	/* A stop that could not be kept would be lost, and its tracee stand for ever. */
	if (found->count == FOUND_MOST)
		return 0;
	got = waitpid(tid, status, WAIT_FLAGS | WNOHANG);
	if (got > 0)
		wait_keep(t, got, *status);
	return got < 0 ? -errno : got;
}

bool wait_kept(const struct pt_tracer *t, pid_t tid)
{
	for (unsigned int i = t->found.next; i < t->found.count; i++)
		if (t->found.stops[i].tid == tid)
			return true;
	return false;
}

/* A race with SIGKILL, which takes a tracee out of its stop: while it waited for its turn it may have gone on to
 * PTRACE_EVENT_EXIT. That stop will be found in its turn; to resume "this" one would in truth resume that one. */
static bool has_gone_on(const struct found_stop *stop)
{
	siginfo_t info = {0};

	return WIFSTOPPED(stop->status) &&
	       waitid(P_PID, (id_t)stop->tid, &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT | WAIT_FLAGS) == 0 &&
	       info.si_pid;
}

pid_t wait_next(struct pt_tracer *t, int *status)
{
	struct found *found = &t->found;
	pid_t tid;

	while (found->next < found->count) {
		const struct found_stop *stop = &found->stops[found->next++];

		if (has_gone_on(stop))
			continue;
		*status = stop->status;
		return stop->tid;
	}
	tid = wait_any(t, status);
	if (tid < 0)
		return -errno;
	find_others(t);
	return tid;
}
