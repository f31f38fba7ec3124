/* SPDX-License-Identifier: GPL-2.0-or-later
 * Threads that request that the tracer looks at their next call (request.S). */
#ifndef PT_FAST_REQUESTS_H
#define PT_FAST_REQUESTS_H

#include "fast/image/image.h"
#include "machine/registers.h"

/* PTRACE_EVENT_EXIT. */
void requests_exits(const struct pt_tracer *t, const struct tracee *tracee);
/* Has this thread, which stands, sent its request? Its signal's stop is the next thing it comes to. */
bool requests_sent(const struct pt_tracer *t, const struct tracee *tracee);
/* An image of a tracer that was killed is taken over; its threads stand. 0 or -errno. */
int requests_adopt(const struct image *image);
/* Has some thread found that there is no tracer, and let all calls of its process pass? Then that is reported, and
 * ends. */
void requests_check(struct pt_tracer *t, struct image *image);

#endif
