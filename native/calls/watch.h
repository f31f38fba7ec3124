/* SPDX-License-Identifier: GPL-2.0-or-later
 * Calls that are emitted, held or refused, whether they move bytes or not. */
#ifndef PT_WATCH_H
#define PT_WATCH_H

#include "state/tracer.h"

/* What is to be done at this call; NULL: nothing but counting. */
const struct order *watch_order(const struct pt_tracer *t, bool compat, uint64_t number);
/* The tracee stands before a call (call_begin() was called): refuses it, emits its record, and either holds the tracee
 * or goes on to call_enter(). True if the call's exit-stop is needed. */
bool watch_enter(struct pt_tracer *t, struct tracee *tracee);
/* It stands behind it, and what counts is emitted: emits its return, and holds the tracee. */
void watch_exit(struct pt_tracer *t, struct tracee *tracee, int64_t result);
void watch_destroy(struct pt_tracer *t);

#endif
