/* SPDX-License-Identifier: GPL-2.0-only
 * The table of tracees, by tid. */
#ifndef PT_TRACEES_H
#define PT_TRACEES_H

#include <sys/types.h>

#include "state/tracer.h"

struct tracee *tracee_find(struct pt_tracer *t, pid_t tid);
/* The first tracee found of a thread group, but for one; or NULL. */
struct tracee *tracee_of_group(struct pt_tracer *t, pid_t tgid, const struct tracee *but);

/* All tracees, one after the other. Meanwhile the one that it is at may be destroyed, but no other. */
#define for_each_tracee(tracer, each) \
	for (struct tracees_walk walk_of_##each = {.t = (tracer)}; (each = tracees_next(&walk_of_##each));)

struct tracees_walk {
	const struct pt_tracer *t;
	unsigned int bucket; /* the next one to be looked into */
	struct tracee *next; /* in the one before it */
};

struct tracee *tracees_next(struct tracees_walk *walk);

/* tracee.c alone makes and ends them. */
void tracees_link(struct pt_tracer *t, struct tracee *tracee);
void tracees_unlink(struct pt_tracer *t, struct tracee *tracee);

#endif
