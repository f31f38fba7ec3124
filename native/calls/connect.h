/* SPDX-License-Identifier: GPL-2.0-only
 * connect(2): a socket gets a peer, or another one. */
#ifndef PT_CONNECT_H
#define PT_CONNECT_H

#include "state/tracer.h"

/* The tracee is about to make the call. True if its exit-stop is needed. */
bool connect_enter(struct pt_tracer *t, struct tracee *tracee);
/* It has returned. */
void connect_exit(struct pt_tracer *t, struct tracee *tracee, int64_t result);

#endif
