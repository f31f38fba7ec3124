/* SPDX-License-Identifier: GPL-2.0-or-later
 * How a tracee gets its image, and loses it. */
#ifndef PT_FAST_SETUP_H
#define PT_FAST_SETUP_H

#include "fast/image/image.h"

/* Maps the memory into a tracee that is in a syscall-exit-stop, and begins an image. NULL: *error says why. */
struct image *image_create(struct pt_tracer *t, struct tracee *tracee, int *error);
/* The same for memory that a killed ptmon has left there: nothing is known of any fd, and no record is unread. */
int image_reset(struct pt_tracer *t, struct image *image);
/* An image of which only the process is known. NULL: out of memory. */
struct image *image_begin(struct pt_tracer *t, struct tracee *tracee);
/* A fork has copied the memory: the child's image. NULL: out of memory or not readable. */
struct image *image_copy(struct pt_tracer *t, const struct image *of, struct tracee *child);
/* Forgets it; what lies in the tracee stays. */
void image_destroy(struct pt_tracer *t, struct image *image);
/* The process has none any more, nor have those who borrow its memory. */
void image_forget(struct pt_tracer *t, struct group *group);

#endif
