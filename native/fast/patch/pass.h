/* SPDX-License-Identifier: GPL-2.0-or-later
 * Looks over all threads of a process whose code is being changed while some of them run (live.c). */
#ifndef PT_FAST_PASS_H
#define PT_FAST_PASS_H

#include "fast/image/image.h"

/* What is asked of each of them; the sites that change are those with site->changes. */
struct pass {
	struct pt_tracer *t;
	struct image *image;
	pid_t tid;     /* of the process */
	pid_t handled; /* one whose stop is being handled, or 0 */
	bool hidden;   /* a frame that must stay as it is returns into the middle of a site */
	bool later;    /* some sites are left for another time */
	bool plain;    /* no way leads into the middle of a site, but a call that stops */
	bool ok;
};

/* May each of them that does not stand meet a trap, without that its program sees anything of it? */
bool pass_may_all_trap(struct pass *pass);
/* Is each of them elsewhere than in the bytes behind the traps, or has it been since they are there? */
bool pass_all_elsewhere(struct pass *pass);
/* The same, soon: who runs will come to a stop or sleep, or does nothing but compute; the others stand meanwhile. */
bool pass_wait_until_elsewhere(struct pass *pass);
/* Each of them goes on in the stubs, now or at its next stop. */
void pass_relocate(struct pass *pass);

#endif
