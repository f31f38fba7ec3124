/* SPDX-License-Identifier: GPL-2.0-or-later
 * A program's code is changed while its threads run; none of them is interrupted. */
#ifndef PT_FAST_LIVE_H
#define PT_FAST_LIVE_H

#include "fast/image/image.h"

/* Sites without a jump get it, where their own bytes stand there. The tracee must be in a ptrace-stop. Returns how
 * many; -EAGAIN: some thread is, or may be, in the middle of these bytes. */
int live_jumps(struct pt_tracer *t, struct image *image, const struct tracee *tracee);
/* All sites get their own bytes back. Threads in stubs and twins finish there. tid: one of its threads; handled:
 * the one whose stop is being handled, or 0. -EAGAIN: not now. */
int live_originals(struct pt_tracer *t, struct image *image, pid_t tid, pid_t handled);
/* A fork in the middle of that has copied what stood there just then: the child, which has not run yet, gets the jumps
 * that its maker has by now. */
void live_mend(const struct image *image, pid_t child);

#endif
