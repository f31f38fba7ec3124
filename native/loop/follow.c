/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A process is seized thread by thread, and then its children, and theirs. A child of a tracee is traced from its birth
 * on; a child of a process that is not yet traced is not. So all are looked for again, until a whole look has found
 * none to seize.
 *
 * A race at the end of that: a thread that is seized in the middle of its fork, or clone, makes a child that is no
 * tracee and is seen in /proc a moment later (kernel_clone() of kernel/fork.c looks for a tracer when it begins). So it
 * is looked once more when all threads have stopped; and for one that does not stop now, at its first stop.
 */
#include "loop/follow.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "loop/await.h"
#include "loop/descendants.h"
#include "loop/seize.h"
#include "loop/wait.h"
#include "machine/proc.h"
#include "process/tracee.h"
#include "records/emit.h"
#include "state/door.h"

#define MOST_PASSES 1000 /* processes that fork faster than they can be seized: some are missed, and said */

static int threads(struct pt_tracer *t, struct attaching *attaching)
{
	int seized = 0, one = 0;

	for (unsigned int i = 0; i < attaching->count && one >= 0; i++) {
		one = seize_threads(t, attaching->pids[i]);
		if (one == -ESRCH)
			one = 0; /* it has ended */
		seized += one;
	}
	return one < 0 ? one : seized;
}

static int threads_and_children(struct pt_tracer *t, struct attaching *attaching)
{
	int seized = threads(t, attaching), more = 0;

	if (seized >= 0 && !t->options.no_follow)
		more = descendants_seize(t, attaching);
	return seized < 0 || more < 0 ? (seized < 0 ? seized : more) : seized + more;
}

/* Until a turn has found none. */
static int seize_all(struct pt_tracer *t, struct attaching *attaching,
		     int (*turn)(struct pt_tracer *, struct attaching *))
{
	struct tracee *root;
	int seized = 0, one = 1;

	for (int i = 0; i < MOST_PASSES && one > 0; i++) {
		one = turn(t, attaching);
		seized += one;
	}
	root = one > 0 ? tracee_of_group(t, attaching->root, NULL) : NULL;
	if (root)
		emit_warning(t, root, PT_REASON_UNTRACED, NULL, EAGAIN);
	return one < 0 ? one : seized;
}

/* It sleeps, and not in a call that makes others. */
static bool makes_nobody(pid_t tid)
{
	struct proc_place place;

	if (proc_place(tid, &place) != 1)
		return false;
	switch (place.number) {
	case SYS_clone:
	case SYS_clone3:
#ifdef SYS_fork
	case SYS_fork:
	case SYS_vfork:
#endif
		return false;
	default:
		return true;
	}
}

/* Whatever ends from now on in those that were seized is seen. */
static void stand(struct pt_tracer *t, struct attaching *attaching)
{
	struct tracee *tracee;

	await_begin(t, NULL);
	for (; attaching->standing < attaching->count; attaching->standing++) {
		const struct tracee *any = tracee_of_group(t, attaching->pids[attaching->standing], NULL);

		if (any)
			fast_attached(t, any->group);
	}
	for_each_tracee (t, tracee)
		if (tracee->attach.unsettled && (wait_kept(t, tracee->tid) || makes_nobody(tracee->tid)))
			tracee->attach.unsettled = false;
}

/* The processes that are there stand before their children are looked for, which takes longer. */
static int go_on(struct pt_tracer *t, struct attaching *attaching)
{
	int seized = seize_all(t, attaching, threads), more = 1;

	while (seized >= 0 && more > 0) {
		stand(t, attaching);
		more = seize_all(t, attaching, threads_and_children);
		seized += more;
	}
	return more < 0 ? more : seized;
}

int follow_begin(struct pt_tracer *t, pid_t pid, int32_t *step)
{
	struct attaching attaching = {.root = pid};
	int seized, more;

	*step = PT_STEP_SEIZE;
	if (tracee_of_group(t, pid, NULL))
		return 0;
	seized = seize_process(t, pid, NULL, step);
	if (seized <= 0)
		return seized;
	more = attaching_add(&attaching, pid);
	if (!more)
		more = go_on(t, &attaching);
	free(attaching.pids);
	return more < 0 ? more : seized + more;
}

void follow_settle(struct pt_tracer *t, struct tracee *tracee)
{
	struct attaching attaching = {.root = tracee->group->tgid};

	tracee->attach.unsettled = false;
	/* Its process stands already, or does not have to. */
	attaching.standing = 1;
	if (attaching_add(&attaching, tracee->group->tgid) < 0 || go_on(t, &attaching) < 0)
		emit_warning(t, tracee, PT_REASON_UNTRACED, NULL, ENOMEM);
	free(attaching.pids);
}
