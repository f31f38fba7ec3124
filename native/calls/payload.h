/* SPDX-License-Identifier: GPL-2.0-or-later
 * Payload that is told: of the sockets that are heeded (sockets/heed.h). */
#ifndef PT_PAYLOAD_H
#define PT_PAYLOAD_H

#include "calls/outcome.h"

/* The tracee's call has returned result, and came to that: emits PT_PAYLOAD of the sockets of it that are heeded. */
void payload_tell(struct pt_tracer *t, struct tracee *tracee, const struct outcome *outcome, int64_t result);

#endif
