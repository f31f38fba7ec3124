/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Processes that have stubs: what they have counted is read, and in the end they get their own code back.
 */
#include "fast/asking.h"
#include "fast/code.h"
#include "fast/cover.h"
#include "fast/fallback.h"
#include "fast/fast.h"
#include "fast/halfway.h"
#include "fast/halt.h"
#include "fast/layout.h"
#include "fast/leave.h"
#include "fast/live.h"
#include "fast/moving.h"
#include "fast/patch.h"
#include "fast/patrol.h"
#include "fast/ring.h"
#include "fast/signalled.h"
#include "fast/slots.h"
#include "tracee.h"

void fast_before_stop(struct pt_tracer *t, struct tracee *tracee)
{
	struct image *image = tracee->group ? tracee->group->image : NULL;

	if (!image)
		return;
	image->stopped = tracee;
	ring_drain(t, image);
	image->stopped = NULL;
	if (tracee->unnamed && !image_add_thread(image, tracee))
		fast_withdraw(t, tracee, PT_FALLBACK_THREADS);
	/* A call in a stub of a tracer that is gone: the stops have seen it, and the stub is not to write it down, too.
	 */
	if (tracee->relocate && tracee->entered && tracee->call.entry)
		cover_leave_stub(t, image, tracee->tid);
	if (tracee->relocate)
		moving_one_in(t, image, tracee->tid);
	tracee->relocated = tracee->relocate;
	tracee->relocate = false;
}

void fast_before_signal(struct pt_tracer *t, struct tracee *tracee, int signal)
{
	fast_step_back(t, tracee);
	if (tracee->group->image)
		signalled(t, tracee->group->image, tracee, signal);
}

void fast_exiting(struct pt_tracer *t, struct tracee *tracee)
{
	struct image *image = tracee->group ? tracee->group->image : NULL;
	struct registers regs;

	asking_exits(t, tracee);
	if (!image)
		return;
	if (registers_read(tracee->tid, &regs) == 0)
		halfway_count(t, image, tracee, &regs, true);
	ring_drain(t, image);
	asking_check(t, image);
	if (!image_has_others(image, tracee))
		patrol_jumps(t, image, tracee);
	image->leaving = !image_has_others(image, tracee);
	if (!image->leaving)
		image_remove_thread(image, tracee);
}

void fast_withdraw(struct pt_tracer *t, struct tracee *tracee, enum pt_fallback reason)
{
	struct image *image = tracee->group->image;

	if (!t->options.fast)
		return;
	tracee->group->slow = true;
	tracee->group->free = false;
	fallback_tell(t, tracee, reason, 0);
	if (!image)
		return;
	ring_drain(t, image);
	asking_check(t, image);
	if (t->filtered)
		patch_withdraw_live(t, image, tracee->tid, tracee->tid);
	else if (halt_process(t, tracee->group, tracee))
		patch_withdraw(t, image, tracee->tid);
	else
		image_set_flags(image, image->flags | FAST_ALL_STOP);
}

void fast_attached(struct pt_tracer *t, const struct group *group)
{
	halt_process(t, group, NULL);
}

bool fast_interrupted(const struct tracee *tracee)
{
	return halt_make_again(tracee->tid);
}

/* True: the memory is given back, and the image is gone. */
static bool detach_from(struct pt_tracer *t, struct image *image)
{
	ring_drain(t, image);
	asking_check(t, image);
	/* Who sleeps in a call that would be cut short is left alone (detach.c); if it is in a stub it ends there. */
	if (halt_process(t, image->group, NULL))
		patch_withdraw(t, image, image->reader);
	else
		patch_withdraw_live(t, image, image->reader, 0);
	ring_drain(t, image);
	return image->withdrawn && leave_stubs(t, image) && leave_by_any(t, image);
}

void fast_detach(struct pt_tracer *t)
{
	for (struct image *image = t->images, *next; image; image = next) {
		struct group *group = image->group;

		next = image->next;
		patrol_jumps(t, image, NULL);
		if (!detach_from(t, image))
			image_set_flags(image, image->flags | FAST_ALL_STOP | FAST_ALONE);
		group->free = false;
	}
}

void fast_drain(struct pt_tracer *t)
{
	for (struct image *image = t->images; image; image = image->next) {
		ring_drain(t, image);
		asking_check(t, image);
	}
}

void fast_patrol(struct pt_tracer *t)
{
	for (struct image *image = t->images; image; image = image->next)
		patrol(t, image);
}

void fast_destroy(struct pt_tracer *t)
{
	while (t->images)
		image_destroy(t, t->images);
	code_destroy(t);
}

bool fast_learn(struct pt_tracer *t, struct files *files, unsigned int fd, struct socket *socket)
{
	if (!files->image)
		return true;
	/* The last call on what it named before may have ended just now: its record comes first. Not while that is
	 * being read (a look-up on the way leads here): then there is a next time. */
	if (slots_fading(files->image, fd)) {
		if (files->image->draining || slots_busy(files->image, fd))
			return slots_stop(files->image, fd);
		ring_drain(t, files->image);
	}
	return slots_learn(t, files->image, fd, socket);
}

void fast_stop(const struct files *files, unsigned int fd)
{
	if (files->image)
		slots_stop(files->image, fd);
}

void fast_forget(struct pt_tracer *t, struct files *files, unsigned int fd, struct socket *was)
{
	if (files->image)
		slots_forget(t, files->image, fd, was);
}

enum fast_still fast_still(const struct files *files, unsigned int fd, bool socket)
{
	return files->image ? slots_still(files->image, fd, socket) : FAST_STANDS;
}

bool fast_busy(const struct files *files, unsigned int fd)
{
	return files->image && !files->image->leaving && slots_busy(files->image, fd);
}

void fast_table_gone(struct files *files)
{
	if (files->image)
		files->image->files = NULL;
}
