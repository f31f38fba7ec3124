/* SPDX-License-Identifier: GPL-2.0-or-later
 * What lies in a tracee's memory is the tracee's: it may write there, or unmap it. What contradicts itself is given
 * up. */
#ifndef PT_FAST_DISTRUST_H
#define PT_FAST_DISTRUST_H

#include "fast/image/image.h"

/* No stub has written what stands there. The report is incomplete, the rings are not read any more, and the process
 * stays at stops. */
void distrust(struct pt_tracer *t, struct image *image);
/* The rings can't be read: -errno; -EPROTO: they hold what no stub has written. The report is incomplete if that may
 * mean that bytes are missing. */
void distrust_unread(struct pt_tracer *t, struct image *image, int error);

#endif
