/* SPDX-License-Identifier: GPL-2.0-or-later
 * The fast path where there is no filter: attached processes, and launched ones with --seccomp off. */
#ifndef PT_FAST_ATTACH_H
#define PT_FAST_ATTACH_H

#include "fast/image/image.h"

/* Every call of the process that the tracer wants to see comes to a stub from now on, so that its threads need not stop
 * at each call; group->free is set. 0; -ENOEXEC: there is code that may make such calls and is not known; -EAGAIN: not
 * all threads could be stopped; -errno. The tracee must be in a syscall-exit-stop. */
int attach_free(struct pt_tracer *t, struct image *image, struct tracee *tracee);
/* Can all of its code be known? The same, without a change to anything. It has no image yet. */
int attach_can(struct pt_tracer *t, struct tracee *tracee);
/* The process is free, and code has come into this range. What attach_free() returns. If there is no call in it no
 * thread has to stand still. */
int attach_look(struct pt_tracer *t, struct image *image, struct tracee *tracee, uint64_t begin, uint64_t end);
/* Is all code known, or such as makes no call unseen? Nothing is changed. 0 or -errno. */
int attach_check(struct pt_tracer *t, struct image *image, struct tracee *tracee);
/* Takes over what a killed ptmon has left in the process. NULL: *error says why. */
struct image *attach_adopt(struct pt_tracer *t, struct tracee *tracee, int *error);

#endif
