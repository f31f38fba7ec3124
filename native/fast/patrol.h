/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PT_FAST_PATROL_H
#define PT_FAST_PATROL_H

#include "fast/image/image.h"

/* Is the code of a process that runs free what it was? Looks at all jumps, and at a part of the rest, another one each
 * time. If not, calls may have been missed: that is reported, and the process stops at its calls from now on. */
void patrol_image(struct pt_tracer *t, struct image *image);
/* At its jumps alone, for the last time. tracee: a thread of it that stands already, or NULL. */
void patrol_jumps(struct pt_tracer *t, struct image *image, struct tracee *tracee);

#endif
