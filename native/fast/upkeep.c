/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Processes that have stubs: what they have counted is read, and in the end they get their own code back.
 */
#include <errno.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "fast/count/drain.h"
#include "fast/count/fallback.h"
#include "fast/count/records.h"
#include "fast/count/stamp.h"
#include "fast/count/threads.h"
#include "fast/door.h"
#include "fast/image/attempter.h"
#include "fast/image/code.h"
#include "fast/image/ender.h"
#include "fast/image/layout.h"
#include "fast/leave.h"
#include "fast/patch/closer.h"
#include "fast/patch/connector.h"
#include "fast/patch/cover.h"
#include "fast/patch/halt.h"
#include "fast/patch/inflight.h"
#include "fast/patch/patch.h"
#include "fast/patch/relocate.h"
#include "fast/patrol.h"
#include "fast/requests.h"
#include "fast/setup.h"
#include "fast/signalled.h"
#include "machine/proc.h"
#include "process/tracee.h"
#include "records/emit.h"
#include "sockets/files.h"

#define LEAVE_PATIENCE_NS (20 * 1000 * 1000LL)
#define LEAVE_PAUSE_NS 100000
#define PATROL_NS (5 * 1000 * 1000LL) /* a tenth of a tick */

/* Where the program is about to get a filter of its own nobody may be about to make calls that are not the program's.
 * At the stop before such a call it is too late; the next one is that behind it. */
static void lead_out(const struct image *image, const struct tracee *tracee)
{
	struct registers regs;

	if (registers_read(tracee->tid, &regs) < 0 || registers_compat(&regs) ||
	    (registers_result(&regs) == -ENOSYS && (int64_t)registers_number(&regs) >= 0))
		return;
	if (ender_leaves(image, tracee->tid, &regs) || attempter_leaves(image, tracee->tid, &regs))
		registers_write(tracee->tid, &regs);
}

void door_before_stop(struct pt_tracer *t, struct tracee *tracee)
{
	struct image *image = tracee->group ? tracee->group->fast.image : NULL;

	if (!image)
		return;
	/* First, for it may have written records: they name it by its thread pointer. */
	if (tracee->fast.unnamed && !threads_add(image, tracee))
		door_withdraw(t, tracee, PT_FALLBACK_THREADS);
	image->stopped = tracee;
	drain_now(t, image);
	image->stopped = NULL;
	if (image->stage >= IMAGE_TO_WITHDRAW && image->stage < IMAGE_CLOSED)
		lead_out(image, tracee);
	/* A call in a stub that an earlier tracer has left: the stops have seen it, so the stub must not write a record
	 * of it. */
	if (tracee->fast.relocate && tracee->call.stage && tracee->call.entry)
		cover_leave_stub(t, image, tracee->tid);
	if (tracee->fast.relocate)
		relocate_one_in(t, image, tracee->tid);
	tracee->fast.relocated = tracee->fast.relocate;
	tracee->fast.relocate = false;
}

void door_before_signal(struct pt_tracer *t, struct tracee *tracee, int signal)
{
	door_step_back(t, tracee);
	if (tracee->group->fast.image)
		signalled(t, tracee->group->fast.image, tracee, signal);
}

/* The process ends, for its thread exits and has not asked for that itself. Who else stood at an exit of its own by
 * then was taken out of that stop (SIGKILL), and is only told to be gone; it has written nothing since. Each of the
 * others comes to this stop, too. So what was read here is all that such a one has left. */
static bool ends_process(const struct registers *regs)
{
	return registers_number(regs) != SYS_exit;
}

void door_exiting(struct pt_tracer *t, struct tracee *tracee)
{
	struct image *image = tracee->group ? tracee->group->fast.image : NULL;
	struct registers regs;
	bool known, last;

	requests_exits(t, tracee);
	if (!image)
		return;
	image->reader = tracee->tid; /* it stands, and others may be dying just now */
	known = registers_read(tracee->tid, &regs) == 0;
	if (known && !ender_leaves(image, tracee->tid, &regs))
		attempter_leaves(image, tracee->tid, &regs);
	if (known && !closer_leaves(image, &regs) && !connector_dies(image, &regs))
		inflight_count(t, image, tracee, &regs, true);
	drain_now(t, image);
	image->ending |= known && ends_process(&regs) && image_is_readable(image);
	requests_check(t, image);
	last = !image_read_through_another(t, image, tracee);
	if (last) {
		records_give_up(t, image);
		patrol_jumps(t, image, tracee);
	}
	image->leaving = last;
	if (!last)
		threads_remove(image, tracee);
}

struct inside {
	pid_t but;
	bool any;
};

/* Is it in a stub, or may it be? */
static void look_inside(pid_t tid, void *context)
{
	struct inside *inside = context;
	struct proc_place place;
	const int sleeps = tid == inside->but ? -1 : proc_place(tid, &place);

	if (sleeps == 0 ||
	    (sleeps == 1 && place.instruction >= FAST_CODE && place.instruction < FAST_CODE + FAST_CODE_SIZE))
		inside->any = true;
}

/* A thread that runs will sleep or stand soon, or goes on for ever; one that sleeps in a stub may do so for hours. */
static bool others_left(const struct image *image, pid_t caller)
{
	const struct timespec pause = {.tv_nsec = LEAVE_PAUSE_NS};
	const int64_t end = now_ns() + LEAVE_PATIENCE_NS;
	struct inside inside;

	do {
		inside = (struct inside){.but = caller};
		halt_each(image->group, look_inside, &inside);
		if (inside.any)
			nanosleep(&pause, NULL);
	} while (inside.any && now_ns() < end);
	return !inside.any;
}

void door_hides(struct pt_tracer *t, struct tracee *tracee)
{
	struct image *image = tracee->group->fast.image;

	door_withdraw(t, tracee, PT_FALLBACK_UNREADABLE);
	if (!image)
		return;
	/* Once the slots can't be read, an fd that stubs have closed without a stop would be taken for what it was. */
	if (image->files)
		files_leave_image(t, image->files);
	if (image->stage >= IMAGE_WITHDRAWN && !image->borrowers && others_left(image, tracee->tid)) {
		drain_now(t, image);
		image_reaches(image, IMAGE_CLOSED);
	} else if (!(proc_status(getpid(), "CapEff:", 16) >> CAP_SYS_PTRACE & 1)) {
		/* A call that sleeps in a stub is counted there when it ends, and nobody will read that. */
		emit_warning(t, tracee, PT_REASON_UNREADABLE, NULL, EPERM);
	}
}

void door_attached(struct pt_tracer *t, const struct group *group)
{
	halt_process(t, group, NULL);
}

bool door_interrupted(const struct tracee *tracee)
{
	return halt_make_again(tracee->tid);
}

/* True: the memory is given back, and the image is gone. */
static bool detach_from(struct pt_tracer *t, struct image *image)
{
	drain_now(t, image);
	requests_check(t, image);
	/* A thread that sleeps in a call which would be cut short is left alone (detach.c); if that is in a stub it
	 * ends there. */
	if (halt_to_leave(t, image->group)) {
		leave_requests(t, image);
		patch_withdraw(t, image, image->reader);
	} else {
		patch_withdraw_live(t, image, image->reader, 0);
	}
	drain_now(t, image);
	return image->stage >= IMAGE_WITHDRAWN && leave_stubs(t, image) && leave_by_any(t, image);
}

static void leave_behind(struct pt_tracer *t, struct image *image)
{
	struct tracee *reader = tracee_find(t, image->reader);

	image_set_flags(image, image->flags | FAST_ALL_STOP | FAST_ALONE);
	if (reader && reader->group == image->group)
		fallback_report(t, reader, PT_FALLBACK_LEFT, 0);
}

void door_detach(struct pt_tracer *t)
{
	for (struct image *image = t->fast_state.images, *next; image; image = next) {
		struct group *group = image->group;

		next = image->next;
		patrol_jumps(t, image, NULL);
		if (!detach_from(t, image))
			leave_behind(t, image);
		group->fast.free = false;
	}
}

void door_drain(struct pt_tracer *t)
{
	if (t->fast_state.images)
		stamp_take(t);
	for (struct image *image = t->fast_state.images; image; image = image->next) {
		drain_read(t, image);
		requests_check(t, image);
	}
}

/* One after the other, and the next tick goes on where this one has no time left: all stops wait meanwhile, and of some
 * hundred processes not one would be handled before the next tick is due. */
void door_patrol(struct pt_tracer *t)
{
	const uint32_t round = t->fast_state.patrols + 1;
	const int64_t end = now_ns() + PATROL_NS;

	for (struct image *image = t->fast_state.images; image; image = image->next) {
		if (image->patrol.round == round)
			continue;
		if (now_ns() >= end)
			return;
		image->patrol.round = round;
		patrol_image(t, image);
	}
	t->fast_state.patrols = round;
}

void door_destroy(struct pt_tracer *t)
{
	while (t->fast_state.images)
		image_destroy(t, t->fast_state.images);
	code_destroy(t);
}
