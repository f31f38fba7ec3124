/* SPDX-License-Identifier: GPL-2.0-or-later
 * Signals that are sent to ptmon itself, and the clock tick of the loop. */
#ifndef PT_SIGNALS_H
#define PT_SIGNALS_H

#include "state/tracer.h"

#define TICK_NS (50 * 1000 * 1000LL)

/* Blocks the signals that ptmon answers itself, for as long as the tracer lives. 0 or -errno. */
int signals_create(struct pt_tracer *t);
void signals_destroy(struct pt_tracer *t);
/* In the child, before execve: mask and dispositions as ptmon found them. Async-signal-safe. */
void signals_restore_for_exec(const struct pt_tracer *t);
/* From now to the other: a blocking wait is interrupted (EINTR) at every tick. */
void signals_start_ticks(struct pt_tracer *t);
void signals_stop_ticks(struct pt_tracer *t);
/* Takes the signals that came since the last tick. */
void signals_tick(struct pt_tracer *t);
/* A signal-delivery-stop or group-stop of the first program. */
void signals_note_delivered(struct pt_tracer *t, pid_t tid, int signal);
void signals_first_stopped(struct pt_tracer *t);

#endif
