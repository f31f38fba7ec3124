/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/tracees.h"

struct tracee *tracee_find(struct pt_tracer *t, pid_t tid)
{
	return hash_member(hash_find(&t->tracees, (uint64_t)tid), struct tracee, link);
}

struct tracee *tracees_next(struct hash_walk *walk)
{
	return hash_member(hash_walk(walk), struct tracee, link);
}

struct tracee *tracee_of_group(struct pt_tracer *t, pid_t tgid, const struct tracee *but)
{
	struct tracee *tracee;

	for_each_tracee (t, tracee)
		if (tracee != but && tracee->group && tracee->group->tgid == tgid)
			return tracee;
	return NULL;
}
