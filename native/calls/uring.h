/* SPDX-License-Identifier: GPL-2.0-or-later
 * Calls that make, use or get rings of io_uring (sockets/rings.h). */
#ifndef PT_URING_H
#define PT_URING_H

#include "state/tracer.h"

/* The errno with which io_uring_setup(2) fails (--no-io-uring), or 0: it is made. */
int uring_refused(const struct pt_tracer *t);
/* Before the call: true if its exit-stop is needed. */
bool uring_setup(struct pt_tracer *t, struct tracee *tracee);
bool uring_enter(struct pt_tracer *t, struct tracee *tracee);
/* Behind io_uring_setup(2), and behind pidfd_getfd(2). */
void uring_made(struct pt_tracer *t, struct tracee *tracee, int64_t result);
void uring_got(struct pt_tracer *t, struct tracee *tracee, int64_t result);

#endif
