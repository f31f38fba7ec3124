/* SPDX-License-Identifier: GPL-2.0-or-later
 * Processes that have no socket, and so nothing that counts: their transfers do not stop (dry.c). */
#ifndef PT_DRY_H
#define PT_DRY_H

#include "state/tracer.h"

enum dry {
	DRY_GOES_ON, /* with its call */
	DRY_DETOURS, /* it makes another call first (CALL_SECOND), and then comes back to before its own */
	DRY_FAILS    /* it can't get the second filter: its process has to be watched closely before it goes on */
};

/* The tracee stands before this call. After it its process may have a socket, or be unable to get another filter: then
 * it gets the second one first. */
enum dry dry_leave(struct pt_tracer *t, struct tracee *tracee, enum abi abi, uint64_t number, const uint64_t args[6]);
/* The call has returned that dry_leave() has put in the place of its own. */
void dry_returned(struct pt_tracer *t, struct tracee *tracee, int64_t result);
/* The tracee has executed another program. */
void dry_executed(struct pt_tracer *t, struct tracee *tracee);
/* The tracee's process is watched closely from now on, instead. */
void dry_end(struct pt_tracer *t, struct tracee *tracee);

#endif
