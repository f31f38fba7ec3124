/* SPDX-License-Identifier: GPL-2.0-or-later
 * The executable memory of a process that is not known yet. */
#ifndef PT_FAST_UNKNOWN_H
#define PT_FAST_UNKNOWN_H

#include "fast/image/code.h"
#include "fast/image/image.h"

struct unknown {
	const struct image *image;
	struct mapping *mappings;
	unsigned int count;
	int error;
};

/* Finds it, and looks at it. 0; -ENOEXEC: there is memory that can't be known; -errno. The struct must be 0 before its
 * first use. */
int unknown_find(struct pt_tracer *t, pid_t pid, const struct image *image, struct unknown *unknown);
/* All of it is known from now on. 0 or -ENOMEM. */
int unknown_take(struct image *image, const struct unknown *unknown);
void unknown_end(struct pt_tracer *t, struct unknown *unknown);

#endif
