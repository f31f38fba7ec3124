/* SPDX-License-Identifier: GPL-2.0-or-later
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
	for (struct hash_walk walk_of_##each = {.hash = &(tracer)->tracees}; (each = tracees_next(&walk_of_##each));)

struct tracee *tracees_next(struct hash_walk *walk);

#endif
