/* SPDX-License-Identifier: GPL-2.0-or-later
 * What a tracer leaves in the tracee, so that a later one can take over if it is killed. */
#ifndef PT_FAST_HANDOVER_H
#define PT_FAST_HANDOVER_H

#include "fast/image/image.h"

/* Writes the rows of the sites from this one on. 0 or -errno. */
int handover_write(const struct image *image, pid_t tid, unsigned int first);
/* Is there memory of a ptmon in this process? 1; 0; -EEXIST: of another version. */
int handover_find(pid_t tid);
/* Takes the sites over: all that is read there is looked at. 0 or -errno; -EEXIST: it is not as ptmon leaves it. The
 * caller frees image->sites. */
int handover_read(struct image *image);

#endif
