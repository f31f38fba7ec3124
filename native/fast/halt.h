/* SPDX-License-Identifier: GPL-2.0-only
 * All threads of a process stand still for a moment. */
#ifndef PT_FAST_HALT_H
#define PT_FAST_HALT_H

#include "tracer.h"

/* Brings every thread of the tracee's process to a ptrace-stop; what each has to report is handled in its turn, and
 * until then it stands. False: not all of them stand (one is in uninterruptible sleep, or there are too many). The
 * tracee itself must stand already. */
bool halt_process(struct pt_tracer *t, const struct tracee *tracee);
/* Calls visit with the tid of each thread. halt_process() must have returned true just before. */
void halt_each(const struct tracee *tracee, void (*visit)(pid_t tid, void *context), void *context);

#endif
