/* SPDX-License-Identifier: GPL-2.0-only
 * Tracees that stand still until somebody has answered for them. */
#ifndef PT_HOLD_H
#define PT_HOLD_H

#include "state/tracer.h"

/* The tracee stays in the stop in which it is, before a watched call or behind it, until pt_answer(). False: it could
 * not be told (no memory), so it is not held. */
bool hold_begin(struct pt_tracer *t, struct tracee *tracee, enum hold at);
/* Lets every tracee go on that is held, its call unchanged. */
void hold_end_all(struct pt_tracer *t);

#endif
