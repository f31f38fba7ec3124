/* SPDX-License-Identifier: GPL-2.0-or-later
 * Threads that stand where code is replaced. All threads of the process must stand. */
#ifndef PT_FAST_RELOCATE_H
#define PT_FAST_RELOCATE_H

#include "fast/image/image.h"
#include "fast/patch/signal_frames.h"

/* Threads in the middle of what a jump of these sites has replaced go on in stubs and twins. 0, or -errno: not all
 * signal frames can be known, and nobody has been moved. */
int relocate_in(struct pt_tracer *t, const struct image *image, unsigned int first);
/* Before that, while threads run: signal frames that the tracer knows of (returns.h), for the sites that change.
 * Returns how many it has changed. */
unsigned int relocate_known(const struct image *image, pid_t tid);
/* The same of one thread, which stands, for all sites. */
void relocate_one_in(struct pt_tracer *t, const struct image *image, pid_t tid);
void relocate_one(struct pt_tracer *t, const void *context, pid_t tid, move_function move);
/* Which threads are about to make calls in twins, where the tracer has to follow them? The stops have seen all calls
 * until now. 0, or -errno: that can't be known of all. */
int relocate_count_requests(struct pt_tracer *t, struct group *group);
/* Moves all threads, and what will return from signal handlers. 0, or -errno: not all of that can be known. */
int relocate_threads(struct pt_tracer *t, const struct group *group, move_function move, const void *context);
/* Threads in stubs and twins go on in the program, whose own bytes are back. What has made its call finishes where it
 * is. */
void relocate_out(struct pt_tracer *t, struct image *image);
void relocate_one_out(struct pt_tracer *t, const struct image *image, pid_t tid);

#endif
