/* SPDX-License-Identifier: GPL-2.0-only
 * Memory that a tracee is made to map. */
#ifndef PT_FAST_INJECT_H
#define PT_FAST_INJECT_H

#include "tracer.h"

struct inject_map {
	uint64_t address; /* fixed; nothing may be there */
	uint64_t size;
	int protection; /* PROT_* of mmap(2) */
};

/* Lets the tracee, which must be in a syscall-exit-stop, map private anonymous memory. It stands in such a stop again,
 * as it was. 0; -EAGAIN: a signal or a stop came in between, which is kept for its turn; -ESRCH: it died; -ENOSPC:
 * there is no place for the code that does it; -EEXIST, -ENOMEM ...: of mmap(2). */
int inject_maps(struct pt_tracer *t, struct tracee *tracee, const struct inject_map *maps, unsigned int count);

#endif
