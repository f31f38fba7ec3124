/* SPDX-License-Identifier: GPL-2.0-or-later
 * From a call's entry to its end. */
#ifndef PT_CALL_H
#define PT_CALL_H

#include "state/tracer.h"

/* The tracee stands before a call (seccomp-stop or syscall-entry-stop): what came before that is over. */
void call_begin(struct pt_tracer *t, struct tracee *tracee, enum abi abi, uint64_t number, const uint64_t args[6]);
/* It is about to make that call; or (not made) the call is skipped, and answered by ptmon. True if its exit-stop is
 * needed. */
bool call_enter(struct pt_tracer *t, struct tracee *tracee, bool made);
/* It stands behind it (syscall-exit-stop). */
void call_exit(struct pt_tracer *t, struct tracee *tracee, int64_t result);
/* It dies in the middle (PTRACE_EVENT_EXIT): counts what the return register says was moved. */
void call_cut_short(struct pt_tracer *t, struct tracee *tracee);
/* It is let go in the middle, and what the call will return is never seen. */
void call_abandon(struct pt_tracer *t, struct tracee *tracee);

/* The call that was begun is not made yet after all: as if it had not been begun. */
void call_take_back(struct pt_tracer *t, struct tracee *tracee);

#endif
