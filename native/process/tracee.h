/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PT_TRACEE_H
#define PT_TRACEE_H

#include <sys/types.h>

#include "process/tracees.h"
#include "state/tracer.h"

/* Adds a tracee without group or fd table (TRACEE_NEWBORN). NULL: out of memory. */
struct tracee *tracee_create(struct pt_tracer *t, pid_t tid);
/* Forgets it; its group and its fd table go with their last tracee. */
void tracee_destroy(struct pt_tracer *t, struct tracee *tracee);
/* Gives a newborn its group and fd table; each may be one that stands, or NULL for a new one. 0 or -ENOMEM. */
int tracee_join(struct pt_tracer *t, struct tracee *tracee, struct group *group, pid_t tgid, pid_t parent,
		struct files *files);
/* After execve by another thread than the leader: the tracee goes on under the leader's tid. */
void tracee_rename(struct pt_tracer *t, struct tracee *tracee, pid_t tid);

/* Does what this tracee does count? */
static inline bool tracee_counts(const struct pt_tracer *t, const struct tracee *tracee)
{
	return t->counting && tracee->group->counted && !tracee->fresh;
}

/* A group that runs in another one's memory, and one that does no longer. */
void tracee_share(struct group *group, struct group *memory_of);
void tracee_share_end(struct group *group);

#endif
