/* SPDX-License-Identifier: GPL-2.0-or-later
 * A thread inside of attempt.S, and the way out of there; and its entry. */
#ifndef PT_FAST_ATTEMPTER_H
#define PT_FAST_ATTEMPTER_H

#include "fast/image/image.h"
#include "machine/registers.h"

/* The thread, which stands, goes on in its stub: before the call as if no entry had been free, and it has none; behind
 * it as if it had only just returned. True if it was in there; regs are changed then, and yet to be written. */
bool attempter_leaves(const struct image *image, pid_t tid, struct registers *regs);
/* The number of the entry by which a thread with these registers connects fd, or -1. */
int64_t attempter_entry(const struct image *image, unsigned int fd, const struct registers *regs);
/* Nobody has that entry any more. */
void attempter_free(const struct image *image, unsigned int entry);

#endif
