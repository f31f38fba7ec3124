/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The calls of a process stop again, each, from now on.
 */
#include "fast/count/drain.h"
#include "fast/count/fallback.h"
#include "fast/door.h"
#include "fast/patch/live.h"
#include "fast/patch/patch.h"
#include "fast/patch/unseen.h"
#include "fast/requests.h"

/* A thread under PTRACE_CONT is seen by the stubs alone. So the jumps stay until all threads stand, or are met where
 * they sleep; meanwhile every call in a stub makes a request, and is followed to its end by a stop. */
static void withdraw_unfiltered(struct pt_tracer *t, struct image *image, struct tracee *tracee)
{
	image_set_flags(image, image->flags | FAST_ALL_STOP);
	image_reaches(image, IMAGE_TO_WITHDRAW);
	if (unseen_end(t, tracee))
		patch_withdraw(t, image, tracee->tid);
}

void door_withdraw(struct pt_tracer *t, struct tracee *tracee, enum pt_fallback reason)
{
	struct image *image = tracee->group->fast.image;

	if (!t->options.fast)
		return;
	tracee->group->fast.slow = true;
	tracee->group->fast.free = false;
	fallback_report(t, tracee, reason, 0);
	if (!image)
		return;
	drain_now(t, image);
	requests_check(t, image);
	if (t->filtered)
		patch_withdraw_live(t, image, tracee->tid, tracee->tid);
	else
		withdraw_unfiltered(t, image, tracee);
}
