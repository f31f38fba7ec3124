/* SPDX-License-Identifier: GPL-2.0-or-later
 * A process is attached, and all that it has started. */
#ifndef PT_FOLLOW_H
#define PT_FOLLOW_H

#include "state/tracer.h"

/* How many threads and processes were seized; 0: it is traced already; -errno, and *step is where it failed. */
int follow_begin(struct pt_tracer *t, pid_t pid, int32_t *step);
/* The first stop of a tracee that may have been in the middle of a fork when it was seized (tracee->attach.unsettled).
 */
void follow_settle(struct pt_tracer *t, struct tracee *tracee);

#endif
