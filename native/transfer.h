/* SPDX-License-Identifier: GPL-2.0-only
 * Calls that move bytes: what they move, on which socket. */
#ifndef PT_TRANSFER_H
#define PT_TRANSFER_H

#include "tracer.h"

/* Finds the sockets that tracee->call is made on. True if there are any, so that its end must be seen. */
bool transfer_enter(struct pt_tracer *t, struct tracee *tracee);
/* The call returned result: counts it. */
void transfer_exit(struct pt_tracer *t, struct tracee *tracee, int64_t result);
/* Lets go of the sockets that transfer_enter found. */
void transfer_release(struct pt_tracer *t, struct tracee *tracee);

#endif
