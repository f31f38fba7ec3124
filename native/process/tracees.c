/* SPDX-License-Identifier: GPL-2.0-only */
#include "process/tracees.h"

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

void tracees_link(struct pt_tracer *t, struct tracee *tracee)
{
	struct tracee **head = &t->tracees[bucket(tracee->tid)];

	tracee->next = *head;
	*head = tracee;
}

void tracees_unlink(struct pt_tracer *t, struct tracee *tracee)
{
	struct tracee **at = &t->tracees[bucket(tracee->tid)];

	while (*at && *at != tracee)
		at = &(*at)->next;
	if (*at)
		*at = tracee->next;
}

struct tracee *tracees_next(struct tracees_walk *walk)
{
	struct tracee *tracee = walk->next;

	while (!tracee && walk->bucket < HASH_SIZE)
		tracee = walk->t->tracees[walk->bucket++];
	walk->next = tracee ? tracee->next : NULL;
	return tracee;
}

struct tracee *tracee_of_group(struct pt_tracer *t, pid_t tgid, const struct tracee *but)
{
	for (unsigned int i = 0; i < HASH_SIZE; i++)
		for (struct tracee *tracee = t->tracees[i]; tracee; tracee = tracee->next)
			if (tracee != but && tracee->group && tracee->group->tgid == tgid)
				return tracee;
	return NULL;
}
