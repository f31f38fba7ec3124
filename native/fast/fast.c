/* SPDX-License-Identifier: GPL-2.0-only
 *
 * When a process gets its stubs, and when they are looked after. See README.md here for how they work.
 */
#include "fast/fast.h"

#if defined(__x86_64__)

#include <errno.h>

#include "fast/cancel.h"
#include "fast/code.h"
#include "fast/fallback.h"
#include "fast/image.h"
#include "fast/patch.h"
#include "fast/ring.h"
#include "fast/slots.h"
#include "files.h"
#include "restart.h"
#include "tracee.h"

#define SIGNAL_CANCEL 32      /* SIGCANCEL of glibc (nptl/internaltypes.h), SIGTIMER of musl */
#define SIGNAL_CANCEL_MUSL 33 /* SIGCANCEL of musl (src/internal/pthread_impl.h), SIGSETXID of glibc */
#define TRIES_MOST 8	      /* to stop all threads of a process */

int fast_call(unsigned int index)
{
	return index < FAST_CALLS ? fast_calls[index] : -1;
}

bool fast_counts(uint64_t number)
{
	for (unsigned int i = 0; i < FAST_CALLS; i++)
		if (fast_calls[i] == number)
			return true;
	return false;
}

bool fast_call_stops(struct pt_tracer *t, struct tracee *tracee, uint64_t instruction)
{
	struct group *group = tracee->group;

	if (!t->options.fast || !t->filtered || group->slow || tracee->fresh || tracee->guest_of || !group->counted ||
	    !t->counting || (group->image && group->image->guests))
		return false;
	if (tracee->call.abi != ABI_NATIVE || !fast_counts(tracee->call.number))
		return false;
	if (group->stops < (uint32_t)t->options.fast)
		group->stops++;
	return group->stops >= (uint32_t)t->options.fast &&
	       (!group->image || !image_has_tried(group->image, instruction - 2));
}

/* NULL: there is none, and there will be none. */
static struct image *image_for(struct pt_tracer *t, struct tracee *tracee, uint64_t gadget)
{
	int error = 0;
	struct image *image = tracee->group->image;

	if (image)
		return image;
	if (!fallback_none(t, tracee))
		return NULL;
	image = image_create(t, tracee, gadget, &error);
	if (!image) {
		if (error != -ESRCH)
			fallback_tell(t, tracee, fallback_of(error), error == -EEXIST ? 0 : -error);
		return NULL;
	}
	files_tell_image(t, tracee->files);
	return image;
}

/* Lets the code around a call that has just stopped jump to stubs. */
static void patch_at(struct pt_tracer *t, struct tracee *tracee, uint64_t call)
{
	struct image *image = image_for(t, tracee, call);
	struct mapping mapping;
	int result;

	if (!image) {
		tracee->group->slow = true;
		return;
	}
	result = code_find(tracee->group->tgid, call, &mapping);
	if (result == 1)
		result = patch_mapping(t, image, tracee, &mapping, PATCH_NUMBERED, call);
	if (result == -EAGAIN && ++image->tries < TRIES_MOST) {
		tracee->group->stops = 0;
		return;
	}
	image_add_tried(image, call);
	if (result == -EMLINK)
		fast_withdraw(t, tracee, PT_FALLBACK_THREADS);
	else if (result < 0)
		fallback_tell(t, tracee, PT_FALLBACK_MEMORY, -result);
	else if (!image_has_site(image, call))
		fallback_tell(t, tracee, PT_FALLBACK_CODE, 0);
}

void fast_call_stopped(struct pt_tracer *t, struct tracee *tracee, uint64_t instruction, int64_t result)
{
	/* A call that the kernel is about to restart is left alone: the next one will do. */
	if (tracee->hold || t->detaching || (result < 0 && result > -4096 && restart_pending((int)-result)))
		return;
	if (!fast_call_stops(t, tracee, instruction) || tracee->entered)
		return;
	patch_at(t, tracee, instruction - 2);
}

void fast_before_stop(struct pt_tracer *t, struct tracee *tracee)
{
	if (tracee->group && tracee->group->image)
		ring_drain(t, tracee->group->image);
}

void fast_before_signal(struct pt_tracer *t, struct tracee *tracee, int signal)
{
	if (tracee->group->image && (signal == SIGNAL_CANCEL || signal == SIGNAL_CANCEL_MUSL))
		cancel_before_signal(t, tracee->group->image, tracee);
}

void fast_exiting(struct pt_tracer *t, struct tracee *tracee)
{
	struct image *image = tracee->group ? tracee->group->image : NULL;
	struct registers regs;

	if (!image)
		return;
	if (registers_read(tracee->tid, &regs) == 0)
		ring_resolve(t, image, tracee, &regs);
	ring_drain(t, image);
	image->leaving = image->thread_count <= 1;
	if (image->thread_count > 1)
		image_remove_thread(image, tracee);
}

void fast_withdraw(struct pt_tracer *t, struct tracee *tracee, enum pt_fallback reason)
{
	struct image *image = tracee->group->image;

	if (!t->options.fast || (!t->filtered && !image))
		return;
	tracee->group->slow = true;
	if (!image)
		return;
	fallback_tell(t, tracee, reason, 0);
	ring_drain(t, image);
	patch_withdraw(t, image, tracee);
}

void fast_drain(struct pt_tracer *t)
{
	for (struct image *image = t->images; image; image = image->next)
		ring_drain(t, image);
}

void fast_destroy(struct pt_tracer *t)
{
	while (t->images)
		image_destroy(t, t->images);
	code_destroy(t);
}

bool fast_learn(struct pt_tracer *t, struct files *files, unsigned int fd, struct socket *socket)
{
	return !files->image || slots_learn(t, files->image, fd, socket);
}

void fast_stop(const struct files *files, unsigned int fd)
{
	if (files->image)
		slots_stop(files->image, fd);
}

void fast_forget(struct files *files, unsigned int fd, struct socket *was)
{
	if (files->image)
		slots_forget(files->image, fd, was);
}

bool fast_still_other(const struct files *files, unsigned int fd)
{
	return !files->image || slots_still_other(files->image, fd);
}

bool fast_busy(const struct files *files, unsigned int fd)
{
	return files->image && !files->image->leaving && slots_busy(files->image, fd);
}

#endif
