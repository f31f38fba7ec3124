/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PT_FAST_UNSEEN_H
#define PT_FAST_UNSEEN_H

#include <stdbool.h>

struct pt_tracer;
struct tracee;

/* Brings all threads of a process to a stop but the tracee, which stands, and those that are met where their calls
 * return to: nobody makes a call unseen any more. May take seconds on a busy machine. False: one may still. */
bool unseen_end(struct pt_tracer *t, struct tracee *tracee);

#endif
