/* SPDX-License-Identifier: GPL-2.0-only
 * fork, vfork, clone, clone3: how a child becomes a tracee of ours. */
#ifndef PT_CLONE_H
#define PT_CLONE_H

#include "state/tracer.h"

/* Takes CLONE_UNTRACED out of a call that is about to be made. True if the exit-stop is needed to put it back. */
bool clone_enter(struct pt_tracer *t, struct tracee *tracee);
void clone_exit(struct tracee *tracee);
/* PTRACE_EVENT_FORK, _VFORK or _CLONE of the parent: the child has a tid. False if the parent has been killed out of
 * that stop; its child is adopted as an orphan then. */
bool clone_event(struct pt_tracer *t, struct tracee *parent);
/* The first stop of a child that its parent's event told of (TRACEE_EXPECTED): starts it. */
void clone_birth(struct pt_tracer *t, struct tracee *child);
/* Tells Python of a tracee, and of its group. */
void clone_tell(struct pt_tracer *t, struct tracee *child);
/* Newborns whose parent's event has not come (it was killed right then) are taken up by what /proc says. */
void clone_adopt_orphans(struct pt_tracer *t);

#endif
