/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PT_DETACH_H
#define PT_DETACH_H

#include "loop/stop.h"
#include "process/next.h"
#include "state/tracer.h"

/* While the tracer is detaching. True: all is said of this stop, *next is what follows. False: it is handled as ever.
 */
bool detach_at_stop(struct pt_tracer *t, struct tracee *tracee, enum stop_kind kind, int status, enum next *next);
/* The tracee's call has ended, or is not begun. True: the tracer is detaching, and it is to be let go (NEXT_LET_GO). */
bool detach_here(struct pt_tracer *t, struct tracee *tracee);
/* Makes every tracee stop whose call is not cut short by that, so that it can be let go. */
void detach_begin(struct pt_tracer *t);
/* The same for those that have come out of their calls since. Returns how many have not. */
unsigned int detach_interrupt(struct pt_tracer *t);
/* The others are left as they are: the kernel lets them go when the tracer's thread ends. */
void detach_end(struct pt_tracer *t);

#endif
