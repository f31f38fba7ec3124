/* SPDX-License-Identifier: GPL-2.0-or-later
 * A thread that stands before a call makes another one instead, and comes back to before its own. */
#ifndef PT_DETOUR_H
#define PT_DETOUR_H

#include "machine/registers.h"
#include "state/tracer.h"

struct detour {
	struct registers saved; /* the program's own */
	uint64_t number;	/* of the program's call */
};

/* The tracee stands before tracee->call: it makes that call instead, by the same ABI. False: it can't, and its own call
 * is what it stands before still. */
bool detour_make(struct tracee *tracee, struct detour *detour, int64_t number, const uint64_t args[6]);
/* It stands behind that one: all registers are as they were, but it goes on at its own call's instruction. */
void detour_end(const struct tracee *tracee, struct detour *detour);

#endif
