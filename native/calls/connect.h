/* SPDX-License-Identifier: GPL-2.0-or-later
 * connect(2): a socket gets a peer, or another one. */
#ifndef PT_CONNECT_H
#define PT_CONNECT_H

#include "state/tracer.h"

/* The tracee is about to make the call. True if its exit-stop is needed. */
bool connect_enter(struct pt_tracer *t, struct tracee *tracee);
/* A connect of it on fd has ended, or has been interrupted: result is what restart_result() knows. */
void connect_ended(struct pt_tracer *t, struct tracee *tracee, int fd, const struct attempt *attempt, int64_t result);
/* It has returned. */
void connect_exit(struct pt_tracer *t, struct tracee *tracee, int64_t result);

#endif
