/* SPDX-License-Identifier: GPL-2.0-or-later
 * Running processes become tracees: PTRACE_SEIZE of all of their threads. */
#ifndef PT_SEIZE_H
#define PT_SEIZE_H

#include "state/tracer.h"

/* Seizes a process that is no tracee yet, and emits that. How many threads, or -errno: *step is where it failed then.
 * A child of a traced process has that one for its parent; else NULL. */
int seize_process(struct pt_tracer *t, pid_t pid, const struct tracee *parent, int32_t *step);
/* Seizes those of its threads that are none yet. How many, or -errno. */
int seize_threads(struct pt_tracer *t, pid_t pid);

#endif
