/* SPDX-License-Identifier: GPL-2.0-or-later
 * Children, and theirs, of processes that are attached. */
#ifndef PT_DESCENDANTS_H
#define PT_DESCENDANTS_H

#include "state/tracer.h"

/* Processes that were seized, in the order in which they were. */
struct attaching {
	pid_t root; /* which was asked for: whose report bears that some were left out */
	pid_t *pids;
	unsigned int count;
	unsigned int capacity;
	unsigned int standing; /* so many of them have been brought to a stop */
};

/* 0 or -ENOMEM. */
int attaching_add(struct attaching *attaching, pid_t pid);
/* Looks once at all processes, and seizes those whose parent is traced, or was left out, and theirs. Those that may not
 * be seized are left out, which is reported. How many were seized, or -errno. */
int descendants_seize(struct pt_tracer *t, struct attaching *attaching);

#endif
