/* SPDX-License-Identifier: GPL-2.0-or-later
 * Which sites are replaced, and which not, and why. */
#ifndef PT_FAST_VERDICT_H
#define PT_FAST_VERDICT_H

#include "fast/image/image.h"

/* Which sites of a mapping are of interest, beside those that make a call that is counted. */
enum patch_choice {
	PATCH_NUMBERED, /* none; and of those that make any call only the one that has just stopped */
	PATCH_ALL	/* those that make any call, and those that make one that is watched */
};

/* Is this one of them? stopped: it has just stopped. */
bool verdict_wants(const struct pt_tracer *t, const struct site *site, enum patch_choice choice, bool stopped);
/* What becomes of it, before any thread is looked at. */
enum pt_verdict verdict_of(const struct pt_tracer *t, const struct site *site, enum patch_choice choice, bool stopped);
/* Notes that: of the site whose instruction is at call in the tracee's process. */
void verdict_note(struct pt_tracer *t, const struct tracee *tracee, const struct site *site, uint64_t call,
		  enum pt_verdict verdict);
/* Jumps were written, as far as that could be done: 0 or -errno. */
void verdict_note_jumps(struct pt_tracer *t, const struct image *image, int error);
/* They were taken back, or could not be. */
void verdict_note_withdrawal(struct pt_tracer *t, const struct image *image);

#endif
