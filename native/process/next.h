/* SPDX-License-Identifier: GPL-2.0-or-later
 * What becomes of a tracee that stands in a ptrace-stop. The handler of the stop returns it; next.c alone does it. */
#ifndef PT_NEXT_H
#define PT_NEXT_H

#include "state/tracer.h"

enum next {
	NEXT_RESUME,	     /* it goes on to its next stop; the signal that this one would deliver is dropped */
	NEXT_DELIVER,	     /* the same, but the signal is delivered */
	NEXT_STEP,	     /* the signal is delivered, and it stops before the handler's first instruction */
	NEXT_LISTEN,	     /* it stays in its group-stop, whose end will be reported (PTRACE_LISTEN) */
	NEXT_EXIT,	     /* it goes on to its end, and makes no call that counts */
	NEXT_STAY,	     /* it stands until somebody else resumes it; or it has left this stop already */
	NEXT_LET_GO,	     /* it is let go, without the signal (PTRACE_DETACH) */
	NEXT_LET_GO_DELIVER, /* or with it */
	NEXT_GONE	     /* it is no tracee any more */
};

/* Does that. signal: the one of a signal-delivery-stop, else 0. The tid may be one of which nothing is known: there was
 * no memory for it. A tracee that is let go is forgotten. */
void next_do(struct pt_tracer *t, pid_t tid, enum next next, int signal);

#endif
