/* SPDX-License-Identifier: GPL-2.0-only
 * What is known of the fds, where the stubs see it. files.c keeps it in step with the tracer's own table. */
#ifndef PT_FAST_SLOTS_H
#define PT_FAST_SLOTS_H

#include "fast/image/image.h"

/* All records until now have been read. fd names this socket (NULL: something else, which counts nothing); while calls
 * on what it named before are under way, all on it stop. False: it may not be remembered, for it is about to be closed.
 */
bool slots_learn(struct pt_tracer *t, struct image *image, unsigned int fd, struct socket *socket);
/* From now on a call on it stops. was: the socket that it named, or NULL. True: all records of calls on that are
 * written. When they have been read, slots_faded() is to follow. */
bool slots_forget(struct image *image, unsigned int fd, struct socket *was);
void slots_faded(struct pt_tracer *t, struct image *image, unsigned int fd);
/* fd is used as a socket, but can't be learnt: all calls on it, and its close, stop. False: it is about to be closed.
 */
bool slots_stop(const struct image *image, unsigned int fd);
/* Does it still say there that fd is a socket, or is none? A stub closes an fd that it does not know without a stop. */
enum fast_still slots_still(const struct image *image, unsigned int fd, bool socket);
/* Is nothing known of it yet? */
bool slots_unknown(const struct image *image, unsigned int fd);
/* May calls on it pass without a stop? */
bool slots_pass(const struct image *image, unsigned int fd);
/* Are calls on it under way in stubs? */
bool slots_busy(const struct image *image, unsigned int fd);
/* The socket that a record of this fd belongs to, if the fd has been forgotten since; or NULL. */
struct socket *slots_fading(const struct image *image, unsigned int fd);
/* A thread that has died, or was taken out of a stub, is no longer under way. */
void slots_release(const struct image *image, unsigned int fd);
/* Lets go of what is remembered. */
void slots_end(struct pt_tracer *t, struct image *image);

#endif
