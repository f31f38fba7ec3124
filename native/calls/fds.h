/* SPDX-License-Identifier: GPL-2.0-or-later
 * Calls that change what fds mean. Each is about to be made: true if its exit-stop is needed. */
#ifndef PT_FDS_H
#define PT_FDS_H

#include "state/tracer.h"

bool fds_close(struct pt_tracer *t, struct tracee *tracee);
bool fds_dup(struct pt_tracer *t, struct tracee *tracee);
bool fds_close_range(struct pt_tracer *t, struct tracee *tracee);
bool fds_unshare(struct pt_tracer *t, struct tracee *tracee);
bool fds_execute(struct pt_tracer *t, struct tracee *tracee);
/* unshare(2) or close_range(2) has returned: the tracee may have a table of its own now. */
void fds_unshared(struct pt_tracer *t, struct tracee *tracee, int64_t result);

#endif
