/* SPDX-License-Identifier: GPL-2.0-or-later
 * Questions to processes that may not be looked at: what is this fd? */
#ifndef PT_QUESTION_H
#define PT_QUESTION_H

#include "state/tracer.h"

/* The tracee stands before a call. True: it makes another one first (CALL_QUESTION), which tells what an fd of its call
 * is; then it goes back to before its own. */
bool question_first(struct pt_tracer *t, struct tracee *tracee, enum abi abi, uint64_t number, const uint64_t args[6]);
/* That call has returned. */
void question_answered(struct pt_tracer *t, struct tracee *tracee, int64_t result);

#endif
