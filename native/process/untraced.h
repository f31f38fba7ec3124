/* SPDX-License-Identifier: GPL-2.0-or-later
 * clone(2), clone3(2) and vfork(2), as calls: before a child is made, and after. */
#ifndef PT_UNTRACED_H
#define PT_UNTRACED_H

#include "state/tracer.h"

/* Takes CLONE_UNTRACED out of a call that is about to be made, and sees to what a child that is not to be followed
 * would share. True if the exit-stop is needed to put the flag back. */
bool untraced_enter(struct pt_tracer *t, struct tracee *tracee);
/* The call has returned, in the parent. */
void untraced_exit(struct pt_tracer *t, struct tracee *tracee, int64_t result);
/* Puts it back if it was taken out; of a child, in what it has copied. */
void untraced_put_back(struct tracee *tracee);

#endif
