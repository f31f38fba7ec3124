/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PT_DETACH_H
#define PT_DETACH_H

#include "stop.h"
#include "tracer.h"

/* While the tracer is detaching: lets the tracee go if this stop is one at which it may. True if it is gone (or was).
 */
bool detach_at_stop(struct pt_tracer *t, struct tracee *tracee, enum stop_kind kind, int status);
/* Makes every tracee stop, so that it can be let go. */
void detach_begin(struct pt_tracer *t);

#endif
