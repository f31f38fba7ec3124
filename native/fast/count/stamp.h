/* SPDX-License-Identifier: GPL-2.0-or-later
 * Time stamps of records, as times. */
#ifndef PT_FAST_STAMP_H
#define PT_FAST_STAMP_H

#include "state/tracer.h"

/* It is now: t->now, and what the counter is at that time. What is read of rings after this is emitted as of then, if
 * it is later. */
void stamp_take(struct pt_tracer *t);
/* The same, also where records bear no time. */
void stamp_look(struct pt_tracer *t);
/* CLOCK_MONOTONIC of a time stamp, in ns: not later than the last stamp. */
uint64_t stamp_time(const struct pt_tracer *t, uint64_t tsc);

#endif
