/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fast/count/distrust.h"

#include <errno.h>

#include "fast/count/fallback.h"
#include "fast/image/layout.h"
#include "process/tracee.h"
#include "records/debug.h"
#include "records/emit.h"

static void warn(struct pt_tracer *t, const struct image *image, enum pt_reason reason, int error)
{
	struct tracee *tracee = tracee_of_group(t, image->group->tgid, NULL);

	if (tracee && t->counting && image->group->counted)
		emit_warning(t, tracee, reason, NULL, error);
}

/* Every call stops from now on, where it is counted. No thread has to be halted for that, so it can be done anywhere. A
 * thread that is in a stub right now writes a record that nobody reads: the report says that it is incomplete. */
static void give_up(struct pt_tracer *t, struct image *image)
{
	struct tracee *tracee = tracee_of_group(t, image->group->tgid, NULL);

	image->lost = true;
	image->own_flags |= FAST_ALL_STOP;
	image_set_flags(image, image->flags | FAST_ALL_STOP);
	image->group->fast.slow = true;
	image->group->fast.free = false;
	if (tracee)
		fallback_report(t, tracee, PT_FALLBACK_TAKEN, 0);
}

void distrust(struct pt_tracer *t, struct image *image)
{
	if (image->lost)
		return;
	debug(t, PT_DEBUG_LOST, image->group->tgid, (struct pt_debug_entry){0});
	warn(t, image, PT_REASON_FORGED, 0);
	give_up(t, image);
}

/* Its last call: where no exit-stop is wanted only its number is kept. */
static bool executes(const struct call *call)
{
	const struct syscall_entry *entry = call->entry ? call->entry : syscall_find(call->abi, call->number);

	return entry && entry->rule == RULE_EXEC;
}

/* A race with execve: until its stop is handled the memory may be the new program's, which has no rings. What the old
 * one has counted was read when the call stopped, and at the exit of each other thread. */
static bool may_have_executed(struct pt_tracer *t, const struct image *image)
{
	struct tracee *tracee;

	/* One that has stopped since, and not for a new program (loop.c), has failed to execute it. */
	for_each_tracee (t, tracee)
		if (tracee->group == image->group && tracee != image->stopped && executes(&tracee->call))
			return true;
	return false;
}

void distrust_unread(struct pt_tracer *t, struct image *image, int error)
{
	/* The last drain of a process is that before its last thread exits: its memory goes with it. */
	if (image->leaving || (error == -ESRCH && image->ending) || may_have_executed(t, image))
		return;
	/* Without stubs nothing is counted there, nor are the threads known through which it could be read. */
	if (error == -ESRCH && !image->site_count)
		return;
	if (error != -EPROTO)
		debug(t, PT_DEBUG_LOST, image->group->tgid, (struct pt_debug_entry){.error = -error});
	switch (error) {
	case -EPROTO:
		return distrust(t, image);
	case -ESRCH:
		return warn(t, image, PT_REASON_DETACHED, 0); /* killed, and none of its threads was seen to exit */
	case -EFAULT:
		warn(t, image, PT_REASON_UNREADABLE, EFAULT);
		return give_up(t, image);
	default:
		/* It may be readable again later, and nothing is lost then; but it may not. */
		return warn(t, image, PT_REASON_UNREADABLE, -error);
	}
}
