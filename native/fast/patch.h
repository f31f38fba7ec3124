/* SPDX-License-Identifier: GPL-2.0-only
 * A program's code gets jumps to stubs, and its own bytes back. */
#ifndef PT_FAST_PATCH_H
#define PT_FAST_PATCH_H

#include "fast/code.h"
#include "fast/image.h"

/* Which sites of a mapping are of interest, beside those that make a call that is counted. */
enum patch_choice {
	PATCH_NUMBERED, /* none; and of those that make any call only the one that has just stopped */
	PATCH_ALL	/* those that make any call, and those that make one that is watched */
};

/* Lets the sites of a mapping jump to stubs. The tracee must be in a ptrace-stop; stopped_at is the address of the
 * instruction that has stopped there, or 0. Returns how many; -EAGAIN: not all threads could be stopped; -errno. */
int patch_mapping(struct pt_tracer *t, struct image *image, struct tracee *tracee, const struct mapping *mapping,
		  enum patch_choice choice, uint64_t stopped_at);
/* The program's own bytes are put back, and its threads taken out of the stubs as far as that can be. What is inside
 * finishes there. 0 or -EAGAIN. */
int patch_withdraw(struct pt_tracer *t, struct image *image, struct tracee *tracee);

#endif
