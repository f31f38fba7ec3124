/* SPDX-License-Identifier: GPL-2.0-or-later
 * Sockets whose fds were forgotten while something may be still to be read of them (struct fast_fading). */
#ifndef PT_FAST_FADING_H
#define PT_FAST_FADING_H

#include "fast/image/image.h"

/* False: there is no memory, and its records will belong to no known socket. */
bool fading_add(struct image *image, unsigned int fd, struct socket *was, uint32_t generation);
/* The socket that a record of this fd belongs to, if the fd has been forgotten since; or NULL. */
struct socket *fading_of(const struct image *image, unsigned int fd, uint16_t shown);
/* All records of it have been read; of the one that was added last, or of this generation if there is one. */
void fading_end_last(struct pt_tracer *t, struct image *image, unsigned int fd);
void fading_end_one(struct pt_tracer *t, struct image *image, unsigned int fd, uint16_t shown);
/* All that stubs had written is read: what nothing more can come of is let go. */
void fading_tidy(struct pt_tracer *t, struct image *image);
/* Lets go of them all. */
void fading_end(struct pt_tracer *t, struct image *image);

#endif
