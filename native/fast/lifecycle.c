/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What becomes of stubs when processes and threads come and go.
 *
 *   fork     copies the memory, and so the stubs, the jumps to them and the data: the child gets an image of its own
 *   vfork    the child runs in its parent's memory, but with its own fds: every call of that memory stops until it has
 *            executed a program or exited. The same for others who share the one and not the other (clone(2))
 *   execve   the memory is gone, and with it the image
 */
#include "fast/door.h"
#include "machine/memory.h"

#include <errno.h>
#include <sched.h>

#include "fast/changes.h"
#include "fast/count/explain.h"
#include "fast/count/fallback.h"
#include "fast/count/threads.h"
#include "fast/image/image.h"
#include "fast/image/layout.h"
#include "fast/image/requester.h"
#include "fast/patch/live.h"
#include "fast/patch/relocate.h"
#include "fast/patch/returns.h"
#include "fast/setup.h"
#include "machine/registers.h"
#include "process/tracee.h"
#include "records/debug.h"

static void add_borrower(struct tracee *borrower, struct image *image)
{
	borrower->fast.borrows = image;
	image->borrowers++;
	image_set_flags(image, image->flags | FAST_ALL_STOP);
}

static void end_borrowing(struct tracee *borrower)
{
	struct image *image = borrower->fast.borrows;

	borrower->fast.borrows = NULL;
	if (image && --image->borrowers == 0 && image->stage < IMAGE_WITHDRAWN)
		image_set_flags(image, image->own_flags);
}

/* If the child has stubs, from its parent: nobody would read what they count. */
static bool set_flags(const struct tracee *child, uint32_t flags)
{
	uint64_t magic = 0;

	return memory_read_direct(child->tid, FAST_MAGIC, &magic, sizeof(magic)) == 0 && magic == FAST_MAGIC_WORD &&
	       memory_write_direct(child->tid, FAST_FLAGS, &flags, sizeof(flags)) == 0 &&
	       requester_forget_all(child->tid) == 0;
}

/* From now on its calls stop, if it has such stubs. */
static void stop_all(struct tracee *child)
{
	if (set_flags(child, FAST_ALL_STOP))
		child->group->fast.slow = true;
}

static bool copy_image(struct pt_tracer *t, const struct image *image, struct tracee *child)
{
	const bool copied = image_copy(t, image, child);

	debug(t, PT_DEBUG_MAPPED, child->tid,
	      (struct pt_debug_entry){.count = PT_DEBUG_COPIED, .error = copied ? 0 : EIO});
	if (copied)
		explain_jumps(t, child->group->fast.image);
	return copied;
}

static void cloned_by(struct pt_tracer *t, struct tracee *child, struct tracee *parent, uint64_t flags)
{
	struct image *image = parent->fast.borrows ? parent->fast.borrows : parent->group->fast.image;
	bool memory = (flags & CLONE_VM) != 0, fds = (flags & CLONE_FILES) != 0;

	/* It stands now, and may sleep when its process is patched. */
	if (t->options.fast)
		registers_peek_thread_pointer(parent->tid, &parent->fast.thread_pointer);
	if (!(flags & CLONE_VM))
		returns_copy(child->group, parent->group);
	if (child->group && child->group != parent->group)
		child->group->fast.clockless = parent->group->fast.clockless;
	if (!image)
		return;
	if (image->stage == IMAGE_CLOSED && !memory) {
		child->group->fast.slow = true; /* its memory can't be read either, and nobody runs its stubs */
		return;
	}
	if (parent->fast.relocated && !memory)
		live_mend(image, child->tid);
	if (memory && !(flags & CLONE_VFORK) && !(fds && flags & CLONE_THREAD))
		fallback_report(t, parent, PT_FALLBACK_DESCRIPTORS, 0);
	if (memory && !(fds && flags & CLONE_THREAD && !parent->fast.borrows))
		add_borrower(child, image);
	else if (!memory && !fds && !parent->fast.borrows && copy_image(t, image, child))
		child->group->fast.free = parent->group->fast.free;
	else if (!memory)
		/* Its fds are its parent's, too: an fd that one of them closes would still be open in the other's
		 * slots. */
		stop_all(child);
	if (!memory && fds) {
		fallback_report(t, parent, PT_FALLBACK_DESCRIPTORS, 0);
		add_borrower(child, image);
	}
}

void door_cloned(struct pt_tracer *t, struct tracee *child, struct tracee *parent, uint64_t flags)
{
	if (parent)
		cloned_by(t, child, parent, flags);
	else
		stop_all(child);
}

void door_leave(struct tracee *child)
{
	set_flags(child, FAST_ALL_STOP | FAST_ALONE);
}

void door_born(struct pt_tracer *t, struct tracee *child)
{
	struct image *image = child->fast.borrows ? child->fast.borrows
			      : child->group	  ? child->group->fast.image
						  : NULL;

	if (t->options.fast)
		registers_peek_thread_pointer(child->tid, &child->fast.thread_pointer);
	if (!image)
		return;
	/* It may close an fd before the one that has opened it has noted that. */
	if (child->files->users > 1) {
		image->own_flags |= FAST_UNSAID;
		image_set_flags(image, image->flags | FAST_UNSAID);
	}
	if (!child->fast.borrows && !threads_add(image, child))
		door_withdraw(t, child, PT_FALLBACK_THREADS);
	/* Its maker's call may have been replaced while it was being made. */
	relocate_one_in(t, image, child->tid);
}

void door_executed(struct pt_tracer *t, struct tracee *tracee)
{
	end_borrowing(tracee);
	changes_end(tracee);
	explain_tell(t, tracee->group);
	image_forget(t, tracee->group);
	/* Also who is dry: its first socket may be made by code there, and not be seen. */
	tracee->group->fast.slow = tracee->closely.always = door_is_taken(t, tracee);
	tracee->group->fast.free = false;
	tracee->fast.may_map = false;
	tracee->fast.requests = 0;
	tracee->fast.relocate = tracee->fast.unnamed = false;
	tracee->fast.thread_pointer = 0;
	tracee->group->fast.tries.not_before = 0;
	tracee->group->fast.stops = 0;
}

void door_gone(struct pt_tracer *t, struct tracee *tracee)
{
	struct image *image = tracee->group ? tracee->group->fast.image : NULL;

	end_borrowing(tracee);
	changes_end(tracee);
	if (tracee->group)
		returns_end(tracee->group, tracee->tid);
	if (!image)
		return;
	threads_remove(image, tracee);
	image_read_through_another(t, image, tracee);
}

void door_group_gone(struct pt_tracer *t, struct group *group)
{
	explain_tell(t, group);
	image_forget(t, group);
}
