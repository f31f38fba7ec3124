/* SPDX-License-Identifier: GPL-2.0-only
 * The table of tracees, by tid. */
#ifndef PT_TRACEES_H
#define PT_TRACEES_H

#include <sys/types.h>

#include "state/tracer.h"

struct tracee *tracee_find(struct pt_tracer *t, pid_t tid);
/* Calls visit for every tracee; visit may destroy the one that it is given, no other. */
void tracee_each(struct pt_tracer *t, void (*visit)(struct pt_tracer *, struct tracee *, void *), void *context);
/* The first tracee found of a thread group, but for one; or NULL. */
struct tracee *tracee_of_group(struct pt_tracer *t, pid_t tgid, const struct tracee *but);

/* tracee.c alone makes and ends them. */
void tracees_link(struct pt_tracer *t, struct tracee *tracee);
void tracees_unlink(struct pt_tracer *t, struct tracee *tracee);

#endif
