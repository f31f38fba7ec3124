/* SPDX-License-Identifier: GPL-2.0-or-later
 * The threads whose records can be told from each other's. */
#ifndef PT_FAST_THREADS_H
#define PT_FAST_THREADS_H

#include "fast/image/image.h"

/* A thread that records may name from now on. False: another one has the same thread pointer, or no memory. */
bool threads_add(struct image *image, struct tracee *tracee);
/* The same for all of its threads, which must stand. */
bool threads_add_all(struct pt_tracer *t, struct image *image);
/* Whose records bear this thread pointer; NULL: nobody is left. */
struct tracee *threads_find(struct pt_tracer *t, struct image *image, uint64_t pointer);
void threads_remove(struct image *image, const struct tracee *tracee);

#endif
