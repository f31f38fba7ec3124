/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How tracees begin and end, with the groups and fd tables that they share.
 */
#include "process/tracee.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "process/behind.h"
#include "process/breakpoint.h"
#include "process/tracees.h"
#include "sockets/closing.h"
#include "sockets/files.h"
#include "state/door.h"

struct tracee *tracee_create(struct pt_tracer *t, pid_t tid)
{
	struct tracee *tracee = calloc(1, sizeof(*tracee));

	if (!tracee)
		return NULL;
	tracee->tid = tid;
	tracee->state = TRACEE_NEWBORN;
	tracee->birth.since = t->now;
	hash_add(&t->tracees, &tracee->link, (uint64_t)tracee->tid);
	t->tracee_count++;
	t->newborns++;
	return tracee;
}

void tracee_share(struct group *group, struct group *memory_of)
{
	/* Where that one runs in another's memory itself: in that one's. */
	group->shares = memory_of->shares ? memory_of->shares : memory_of;
	group->shares->sharers++;
}

void tracee_share_end(struct group *group)
{
	if (group->shares)
		group->shares->sharers--;
	group->shares = NULL;
}

static void forget_shared(struct pt_tracer *t, const struct group *group)
{
	struct tracee *tracee;

	for_each_tracee (t, tracee)
		if (tracee->group && tracee->group->shares == group)
			tracee->group->shares = NULL;
}

void tracee_destroy(struct pt_tracer *t, struct tracee *tracee)
{
	behind_end(t, tracee);
	hash_remove(&t->tracees, &tracee->link);
	t->tracee_count--;
	fast_gone(t, tracee);
	if (tracee->group) {
		closing_settle(tracee);
		files_leave(t, tracee);
		if (tracee->group->waiting == tracee) {
			tracee->group->waiting = NULL;
			t->waiting--;
		}
		if (--tracee->group->threads == 0) {
			tracee_share_end(tracee->group);
			if (tracee->group->sharers)
				forget_shared(t, tracee->group);
			breakpoint_end(t, tracee->group);
			fast_group_gone(t, tracee->group);
			free(tracee->group);
		}
	} else {
		t->newborns--;
	}
	free(tracee->question);
	free(tracee->second);
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
	hash_remove(&t->tracees, &tracee->link);
	tracee->tid = tid;
	hash_add(&t->tracees, &tracee->link, (uint64_t)tracee->tid);
}
