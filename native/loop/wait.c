/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * wait4(-1) reports the newest tracee first. Beside threads that stop again at once an older one would wait for ever.
 * So all that have stopped are found before the first of them is let go on, and are handled in turn.
 */
#include "loop/wait.h"

#include <errno.h>
#include <sched.h>

/* After so many waits in a row that were shorter than quick (ns) it yields, for at most yield (ns). */
struct patience {
	unsigned int stops;
	int64_t quick;
	int64_t yield;
};

static const struct patience alone = {.stops = 2, .quick = 500000, .yield = 500000};
static const struct patience crowded = {.stops = 8, .quick = 100000, .yield = 50000};

#define AWAY_NS 1000000 /* a yield that took longer was most likely for another program */
#define AWAY_TIMES 100	/* for so many times as long it is crowded */

/* A stop hands the CPU from tracee to tracer and back. If the tracer blocks, each hand-over may wake a CPU that has
 * gone to sleep, which on a virtual machine costs several times the stop itself. So where stops follow each other
 * quickly it yields for a moment before it blocks: the tracee runs meanwhile, and its next stop is found without any
 * wake-up. Beside programs that use the CPU a yield may last for their whole time slice; where that was seen, it yields
 * only between stops that are as quick as those of a single call. The tracer's own CPU affinity was tried instead, and
 * lost: the kernel wakes the tracee on whatever CPU is idle. */
static pid_t wait_yielding(struct pt_tracer *t, int *status, int64_t begin, int64_t end)
{
	int64_t now = begin, last;
	pid_t tid;

	while (now < end) {
		tid = waitpid(-1, status, WAIT_FLAGS | WNOHANG);
		if (tid)
			return tid;
		sched_yield();
		last = now;
		now = now_ns();
		if (now - last > AWAY_NS)
			t->found.crowded_until = now + AWAY_TIMES * (now - last);
	}
	return 0;
}

static pid_t wait_any(struct pt_tracer *t, int *status)
{
	const int64_t begin = now_ns();
	const struct patience *patience = begin < t->found.crowded_until ? &crowded : &alone;
	pid_t tid = 0;

	if (t->found.quick >= patience->stops)
		tid = wait_yielding(t, status, begin, begin + patience->yield);
	if (tid)
		return tid;
	tid = waitpid(-1, status, WAIT_FLAGS);
	t->found.quick = now_ns() - begin < patience->quick ? t->found.quick + 1 : 0;
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

bool wait_any_due(const struct pt_tracer *t)
{
	return t->found.next < t->found.count || stop_is_due(P_ALL, 0);
}

/* While it waited for its turn SIGKILL may have taken it on (process/overtaken.h). */
static bool has_gone_on(const struct found_stop *stop)
{
	return WIFSTOPPED(stop->status) && stop_is_due(P_PID, stop->tid);
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
