/* SPDX-License-Identifier: GPL-2.0-or-later
 * Calls that are under way in stubs, and threads that are so no longer: they have died there, or were taken out. */
#ifndef PT_FAST_UNDER_WAY_H
#define PT_FAST_UNDER_WAY_H

#include "fast/image/image.h"

/* Are calls on it under way in stubs? */
bool under_way_any(const struct image *image, unsigned int fd);
/* A thread is no longer under way on it. */
void under_way_release(const struct image *image, unsigned int fd);
/* Nor is it about to close this one: it has made its call, or will make it elsewhere. */
void under_way_end_closing(const struct image *image, unsigned int fd, bool made);
/* Nor does it connect this one of that generation: it has begun its call, or will make it elsewhere. */
void under_way_end_connecting(const struct image *image, unsigned int fd, uint32_t generation, bool begun);

#endif
