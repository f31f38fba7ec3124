/* SPDX-License-Identifier: GPL-2.0-or-later
 * What stubs have written into the rings since the last time is read, and emitted. */
#ifndef PT_FAST_DRAIN_H
#define PT_FAST_DRAIN_H

#include "fast/image/image.h"

/* Before anything of this process is handled that comes after it. Then it is now. */
void drain_now(struct pt_tracer *t, struct image *image);
/* The same, as of the last stamp (stamp.h). */
void drain_read(struct pt_tracer *t, struct image *image);

#endif
