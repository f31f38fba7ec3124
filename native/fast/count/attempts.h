/* SPDX-License-Identifier: GPL-2.0-or-later
 * What stubs have written of sockets that they have connected. */
#ifndef PT_FAST_ATTEMPTS_H
#define PT_FAST_ATTEMPTS_H

#include "fast/image/image.h"

/* Reads what is new. It has to be read behind the endings: those of what they have connected were written later. 0 or
 * -errno; -EPROTO: no stub has written that. */
int attempts_read(struct image *image);
/* What they are is told; the records of calls on those sockets come later. */
void attempts_emit(struct pt_tracer *t, struct image *image);
/* Forgets what is not emitted. */
void attempts_drop(struct image *image);
/* A fork has copied this memory, and with it entries of which the tracer reads the parent's; its other threads are not
 * there. Or another tracer has left it (threads: who has taken an entry is still there). 0 or -errno. */
int attempts_forget(const struct image *image, bool threads);
/* The connect that a thread has begun by this entry, as a stop would have seen it. False: it can't be told. */
bool attempts_begun(struct pt_tracer *t, const struct image *image, unsigned int entry, struct attempt *attempt,
		    uint32_t *generation);

#endif
