/* SPDX-License-Identifier: GPL-2.0-or-later
 * What stubs have written of sockets that they have closed. */
#ifndef PT_FAST_ENDINGS_H
#define PT_FAST_ENDINGS_H

#include "fast/image/image.h"

/* Reads what is new. It has to be read before the rings: then all calls on those sockets are among what is read of them
 * after it. 0 or -errno; -EPROTO: no stub has written that. */
int endings_read(struct image *image);
/* A fork has copied this memory, and with it entries of which the tracer reads the parent's; its other threads are not
 * there. Or another tracer has left it (threads: who has taken an entry is still there). 0 or -errno. */
int endings_forget(const struct image *image, bool threads);
/* The socket that a record of this fd and generation (as records show it) belongs to, if it has ended. */
struct socket *endings_find(struct pt_tracer *t, struct image *image, struct tracee *tracee, unsigned int fd,
			    uint16_t shown);
/* All calls on them are emitted: now their ends. */
void endings_emit(struct pt_tracer *t, struct image *image);
/* Forgets what is not emitted. */
void endings_drop(struct pt_tracer *t, struct image *image);

#endif
