/* SPDX-License-Identifier: GPL-2.0-only
 *
 * tid -> struct tracee, and the groups and fd tables that tracees share.
 */
#include "process/tracee.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>

#include "process/breakpoint.h"
#include "sockets/files.h"
#include "state/door.h"

static unsigned int bucket(pid_t tid)
{
	return (unsigned int)tid & (HASH_SIZE - 1);
}

struct tracee *tracee_find(struct pt_tracer *t, pid_t tid)
{
	struct tracee *tracee = t->tracees[bucket(tid)];

	while (tracee && tracee->tid != tid)
		tracee = tracee->next;
	return tracee;
}

static void link_in(struct pt_tracer *t, struct tracee *tracee)
{
	struct tracee **head = &t->tracees[bucket(tracee->tid)];

	tracee->next = *head;
	*head = tracee;
}

static void unlink_from(struct pt_tracer *t, struct tracee *tracee)
{
	struct tracee **at = &t->tracees[bucket(tracee->tid)];

	while (*at && *at != tracee)
		at = &(*at)->next;
	if (*at)
		*at = tracee->next;
}

struct tracee *tracee_create(struct pt_tracer *t, pid_t tid)
{
	struct tracee *tracee = calloc(1, sizeof(*tracee));

	if (!tracee)
		return NULL;
	tracee->tid = tid;
	tracee->state = TRACEE_NEWBORN;
	tracee->born = t->now;
	link_in(t, tracee);
	t->tracee_count++;
	t->newborns++;
	return tracee;
}

void tracee_share(struct group *group, struct group *memory_of)
{
	/* Where that one is itself a guest: of whom it is. */
	group->shares = memory_of->shares ? memory_of->shares : memory_of;
	group->shares->sharers++;
}

void tracee_share_end(struct group *group)
{
	if (group->shares)
		group->shares->sharers--;
	group->shares = NULL;
}

static void forget_shared(struct pt_tracer *t, struct tracee *tracee, void *group)
{
	(void)t;
	if (tracee->group && tracee->group->shares == group)
		tracee->group->shares = NULL;
}

void tracee_destroy(struct pt_tracer *t, struct tracee *tracee)
{
	unlink_from(t, tracee);
	t->tracee_count--;
	fast_gone(t, tracee);
	if (tracee->group) {
		files_settle(tracee);
		files_leave(t, tracee);
		if (tracee->group->held == tracee) {
			tracee->group->held = NULL;
			t->held--;
		}
		if (--tracee->group->threads == 0) {
			tracee_share_end(tracee->group);
			if (tracee->group->sharers)
				tracee_each(t, forget_shared, tracee->group);
			breakpoint_end(t, tracee->group);
			fast_group_gone(t, tracee->group);
			free(tracee->group);
		}
	} else {
		t->newborns--;
	}
	free(tracee->question);
	free(tracee);
}

int tracee_join(struct pt_tracer *t, struct tracee *tracee, struct group *group, pid_t tgid, pid_t parent,
		struct files *files)
{
	struct group *own = NULL;

	if (!group) {
		group = own = calloc(1, sizeof(*own));
		if (!own)
			return -ENOMEM;
		own->tgid = tgid;
		own->parent = parent;
		own->counted = true;
	}
	if (files_join(tracee, files) < 0) {
		free(own);
		return -ENOMEM;
	}
	tracee->group = group;
	group->threads++;
	t->newborns--;
	return 0;
}

void tracee_rename(struct pt_tracer *t, struct tracee *tracee, pid_t tid)
{
	unlink_from(t, tracee);
	tracee->tid = tid;
	link_in(t, tracee);
}

void tracee_each(struct pt_tracer *t, void (*visit)(struct pt_tracer *, struct tracee *, void *), void *context)
{
	for (unsigned int i = 0; i < HASH_SIZE; i++) {
		for (struct tracee *tracee = t->tracees[i], *next; tracee; tracee = next) {
			next = tracee->next;
			visit(t, tracee, context);
		}
	}
}

struct tracee *tracee_of_group(struct pt_tracer *t, pid_t tgid, const struct tracee *but)
{
	for (unsigned int i = 0; i < HASH_SIZE; i++)
		for (struct tracee *tracee = t->tracees[i]; tracee; tracee = tracee->next)
			if (tracee != but && tracee->group && tracee->group->tgid == tgid)
				return tracee;
	return NULL;
}

void tracee_resume(struct tracee *tracee, int request, int signal)
{
	tracee->fast.halted = false;
	tracee->continues = request == PTRACE_CONT;
	tracee->state = request == PTRACE_LISTEN ? TRACEE_LISTENING : TRACEE_RUNNING;
	tracee->unmade = ptrace(request, tracee->tid, 0, signal) < 0;
}

int tracee_request(const struct pt_tracer *t, const struct tracee *tracee)
{
	bool free = t->filtered || (tracee->group && tracee->group->fast.free && !tracee->fast.guest_of);

	return free && !tracee->sandboxed && !tracee->closely && !tracee->entered && !tracee->fast.asked
		       ? PTRACE_CONT
		       : PTRACE_SYSCALL;
}
