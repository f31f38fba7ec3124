/* SPDX-License-Identifier: GPL-2.0-only
 *
 * When a process gets its stubs, and when they are looked after. See README.md here for how they work.
 */
#include "fast/fast.h"

#include <errno.h>
#include <sys/syscall.h>

#include "fast/asking.h"
#include "fast/attach.h"
#include "fast/code.h"
#include "fast/fallback.h"
#include "fast/halfway.h"
#include "fast/halt.h"
#include "fast/image.h"
#include "fast/layout.h"
#include "fast/patch.h"
#include "fast/ring.h"
#include "fast/signalled.h"
#include "fast/slots.h"
#include "fast/table.h"
#include "files.h"
#include "restart.h"
#include "tracee.h"

#define TRIES_MOST 8 /* to stop all threads of a process */

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

/* Is this a process that may get stubs, or more of them? */
static bool is_candidate(const struct pt_tracer *t, const struct tracee *tracee)
{
	const struct group *group = tracee->group;

	return t->options.fast && t->counting && !t->detaching && group->counted && !group->slow && !group->free &&
	       !tracee->fresh && !tracee->guest_of && !(group->image && group->image->guests) &&
	       tracee->call.abi == ABI_NATIVE;
}

static bool is_due(const struct pt_tracer *t, const struct tracee *tracee, uint64_t instruction)
{
	const struct group *group = tracee->group;

	return is_candidate(t, tracee) && group->stops >= (uint32_t)t->options.fast &&
	       (!t->filtered || (fast_counts(tracee->call.number) &&
				 !(group->image && image_has_tried(group->image, instruction - 2))));
}

bool fast_call_stops(struct pt_tracer *t, struct tracee *tracee, uint64_t instruction)
{
	if (!is_candidate(t, tracee) || (t->filtered && !fast_counts(tracee->call.number)))
		return false;
	if (tracee->group->stops < (uint32_t)t->options.fast)
		tracee->group->stops++;
	return is_due(t, tracee, instruction);
}

/* NULL: there is none; -EAGAIN: it may be tried again, else the reason has been told. */
static struct image *image_for(struct pt_tracer *t, struct tracee *tracee, uint64_t gadget, int *error)
{
	struct image *image = tracee->group->image;
	int found;

	*error = 0;
	if (image)
		return image;
	if (!fallback_none(t, tracee)) {
		*error = -EPERM;
		return NULL;
	}
	found = table_find(tracee->tid);
	if (found < 0)
		*error = found;
	else
		image = found ? attach_adopt(t, tracee, error) : image_create(t, tracee, gadget, error);
	if (image) {
		image->asks = !t->filtered;
		files_tell_image(t, tracee->files);
	} else if (*error != -ESRCH && *error != -EAGAIN) {
		fallback_tell(t, tracee, fallback_of(*error), *error == -EEXIST ? 0 : -*error);
	}
	return image;
}

/* Lets the code around a call that has just stopped jump to stubs. */
static int patch_at(struct pt_tracer *t, struct image *image, struct tracee *tracee, uint64_t call)
{
	struct mapping mapping;
	int result = code_find(tracee->group->tgid, call, &mapping);

	if (result == 1)
		result = patch_mapping(t, image, tracee, &mapping, PATCH_NUMBERED, call);
	if (result != -EAGAIN)
		image_add_tried(image, call);
	if (result >= 0 && !image_has_site(image, call))
		fallback_tell(t, tracee, PT_FALLBACK_CODE, 0);
	return result < 0 ? result : 0;
}

/* So it is counted at stops; for good, but for -EAGAIN. */
static void give_up(struct pt_tracer *t, struct tracee *tracee, int error)
{
	struct group *group = tracee->group;

	group->stops = 0;
	if (error == -EAGAIN && ++group->tries < TRIES_MOST)
		return;
	if (!group->image) {
		group->slow = true;
	} else if (error == -EMLINK) {
		fast_withdraw(t, tracee, PT_FALLBACK_THREADS);
	} else if (!t->filtered) {
		fast_withdraw(t, tracee, error == -ENOEXEC ? PT_FALLBACK_CODE : PT_FALLBACK_MEMORY);
	} else {
		fallback_tell(t, tracee, PT_FALLBACK_MEMORY, -error);
	}
}

void fast_call_stopped(struct pt_tracer *t, struct tracee *tracee, uint64_t instruction, int64_t result)
{
	struct image *image;
	int error;

	/* A call that the kernel is about to restart is left alone: the next one will do. Behind rt_sigreturn(2) the
	 * thread does not stand behind a call. */
	if (tracee->hold || tracee->call.number == SYS_rt_sigreturn || tracee->entered ||
	    (result < 0 && result > -4096 && restart_pending((int)-result)))
		return;
	if (tracee->group->free && asking_brought_code(tracee, result)) {
		error = attach_free(t, tracee->group->image, tracee);
		if (error)
			give_up(t, tracee, error == -EAGAIN ? -ENOEXEC : error);
		return;
	}
	if (!is_due(t, tracee, instruction))
		return;
	image = image_for(t, tracee, instruction - 2, &error);
	if (image)
		error = t->filtered ? patch_at(t, image, tracee, instruction - 2) : attach_free(t, image, tracee);
	if (error)
		give_up(t, tracee, error);
}

void fast_before_stop(struct pt_tracer *t, struct tracee *tracee)
{
	if (tracee->group && tracee->group->image)
		ring_drain(t, tracee->group->image);
}

void fast_before_signal(struct pt_tracer *t, struct tracee *tracee, int signal)
{
	if (tracee->group->image)
		signalled(t, tracee->group->image, tracee, signal);
}

void fast_exiting(struct pt_tracer *t, struct tracee *tracee)
{
	struct image *image = tracee->group ? tracee->group->image : NULL;
	struct registers regs;

	if (!image)
		return;
	if (registers_read(tracee->tid, &regs) == 0)
		halfway_count(t, image, tracee, &regs, true);
	ring_drain(t, image);
	image->leaving = image->thread_count <= 1;
	if (image->thread_count > 1)
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
	if (halt_process(t, tracee->group, tracee))
		patch_withdraw(t, image, tracee->tid);
	else
		image_set_flags(image, image->flags | FAST_ALL_STOP);
}

void fast_attached(struct pt_tracer *t, const struct group *group)
{
	halt_process(t, group, NULL);
}

void fast_interrupted(const struct tracee *tracee)
{
	halt_make_again(tracee->tid);
}

static void count_halfway(struct pt_tracer *t, struct tracee *tracee, void *context)
{
	struct image *image = context;
	struct registers regs;

	/* It will write its record, too, but that one nobody reads. */
	if (tracee->group == image->group && registers_read(tracee->tid, &regs) == 0)
		halfway_count(t, image, tracee, &regs, false);
}

void fast_detach(struct pt_tracer *t)
{
	for (struct image *image = t->images; image; image = image->next) {
		const uint32_t alone = image->flags | FAST_ALL_STOP | FAST_ALONE;

		ring_drain(t, image);
		/* If they can't be stopped the stubs stay, and let every call pass. */
		if (halt_process(t, image->group, NULL)) {
			patch_withdraw(t, image, image->reader);
			ring_drain(t, image);
			tracee_each(t, count_halfway, image);
		}
		image_set_flags(image, alone);
		image->group->free = false;
	}
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
