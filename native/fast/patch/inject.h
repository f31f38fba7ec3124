/* SPDX-License-Identifier: GPL-2.0-or-later
 * Memory that a tracee is made to map. */
#ifndef PT_FAST_INJECT_H
#define PT_FAST_INJECT_H

#include "machine/registers.h"
#include "state/tracer.h"

struct inject_map {
	uint64_t address; /* fixed; nothing may be there */
	uint64_t size;
	int protection; /* PROT_* of mmap(2) */
};

/* Lets the tracee, which must be in a syscall-exit-stop, map private anonymous memory. It stands in such a stop again,
 * as it was. 0; -EAGAIN: a signal or a stop came in between, which is kept for its turn; -ESRCH: it died; -ENOSPC:
 * there is no place for the code that does it; -EEXIST, -ENOMEM ...: of mmap(2). */
int inject_maps(struct pt_tracer *t, struct tracee *tracee, const struct inject_map *maps, unsigned int count);
/* Lets the tracee unmap memory, and go on with the registers back. It stands in a syscall-exit-stop then. before_call:
 * it stands before a call, which is not made; else it must stand where no call is under way. 0; -EAGAIN: a stop of its
 * whole process came in between, and is kept for its turn; -ESRCH: it died; others as above. */
int inject_unmap(struct pt_tracer *t, struct tracee *tracee, uint64_t address, uint64_t size,
		 const struct registers *back, bool before_call);
/* Lets the tracee go on to its next stop, and waits for that: its wait status. 0, or -ESRCH. */
int inject_next_stop(pid_t tid, int *status);

#endif
