/* SPDX-License-Identifier: GPL-2.0-or-later
 * Stops before and behind system calls: what is made, and what of it counts. */
#ifndef PT_CALL_STOP_H
#define PT_CALL_STOP_H

#include "process/next.h"
#include "state/tracer.h"

/* seccomp-stop */
enum next call_stop_seccomp(struct pt_tracer *t, struct tracee *tracee);
/* syscall-entry-stop or syscall-exit-stop */
enum next call_stop_syscall(struct pt_tracer *t, struct tracee *tracee);

#endif
