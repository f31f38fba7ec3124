/* SPDX-License-Identifier: GPL-2.0-or-later
 * fork, vfork, clone, clone3: how a child becomes a tracee of ours. */
#ifndef PT_CLONE_H
#define PT_CLONE_H

#include "process/next.h"
#include "state/tracer.h"

/* PTRACE_EVENT_FORK, _VFORK or _CLONE of the parent: the child has a tid. *stands: the child, if it stands in its first
 * stop already and has waited for this event, or NULL. If the parent has been killed out of that stop it is left alone;
 * its child is adopted as an orphan then. */
enum next clone_event(struct pt_tracer *t, struct tracee *parent, struct tracee **stands);
/* A child that its parent's event has announced stands in its first stop. */
enum next clone_birth(struct pt_tracer *t, struct tracee *child);
/* Emits a PT_CLONE: Python knows of the tracee, and of its group, from then on. */
void clone_emit(struct pt_tracer *t, struct tracee *child);
/* Adopts newborns whose parent's event has not come, for the parent was killed right then: /proc says whose they are.
 */
void clone_adopt_orphans(struct pt_tracer *t);

#endif
