/* SPDX-License-Identifier: GPL-2.0-or-later
 * What is known of the fds, where the stubs see it. files.c keeps it in step with the tracer's own table. */
#ifndef PT_FAST_SLOTS_H
#define PT_FAST_SLOTS_H

#include "fast/count/slot.h"

/* All records until now have been read. fd of this generation names this socket (NULL: something else, which counts
 * nothing); while calls on what it named before are under way, all on it stop. False: it may not be remembered, for a
 * stub has closed it since, or is about to. */
bool slots_learn(struct pt_tracer *t, struct image *image, unsigned int fd, struct socket *socket, uint32_t generation);
/* The same, but all calls on it stop: the records of what it named before are not all read. */
bool slots_learn_slow(struct image *image, unsigned int fd, uint32_t generation);
/* The generation for which that was said last, as a record shows it; -1: none. */
int32_t slots_learnt(const struct image *image, unsigned int fd);
/* From now on a call on it stops. was: the socket that it named, or NULL. True: all records of calls on that are
 * written. When they have been read, fading_end_last() is to follow. */
bool slots_forget(struct image *image, unsigned int fd, struct socket *was);
/* A stub may have closed it, and it is about to be learnt anew: what is still to be read of that was on this socket. */
void slots_left(struct image *image, unsigned int fd, struct socket *was);
/* So do calls on all of these, whatever they have named. */
void slots_forget_range(struct image *image, unsigned int first, unsigned int last);
/* A stub has made fd a socket that it may use: the tracer's table speaks of that from now on. */
void slots_note(struct image *image, unsigned int fd, uint32_t generation, const struct socket *socket);
/* Until slots_let_go() nobody closes such an fd, nor begins a call on it, but by a stop, which waits for the tracer: so
 * it may be looked at while the program runs. False: a stub is about to close it, or has. */
bool slots_hold(const struct image *image, unsigned int fd, uint32_t generation);
void slots_let_go(const struct image *image, unsigned int fd, uint32_t generation);
/* fd of this generation has been closed by a stub. True if the tracer's table spoke of it; no longer. */
bool slots_ended(struct image *image, unsigned int fd, uint32_t generation);
/* What a record of this generation is about: is the fd as it was then? */
enum slots_age { SLOTS_SAME, SLOTS_LEAVING, SLOTS_GONE };
enum slots_age slots_age(const struct image *image, unsigned int fd, uint16_t shown, uint32_t *generation, bool *born);
/* fd is used as a socket, but can't be learnt: all calls on it, and its close, stop. False: it is about to be closed.
 */
bool slots_stop(const struct image *image, unsigned int fd);
/* Does it still say there that fd is a socket, or is none? A stub closes an fd that it does not know without a stop. */
enum fast_still slots_still(const struct image *image, unsigned int fd, bool socket);
/* Is nothing known of it yet? */
bool slots_unknown(const struct image *image, unsigned int fd);
/* May calls on it pass without a stop? */
bool slots_pass(const struct image *image, unsigned int fd);
/* Has a stub said that fd of that generation is a socket, which the tracer has not heard of yet? */
bool slots_unheard(const struct image *image, unsigned int fd, uint32_t generation);
#endif
