/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * When a process gets its stubs, and when they are looked after. See README.md here for how they work.
 */
#include "fast/door.h"
#include "fast/image/kinds.h"

#include <errno.h>
#include <sys/syscall.h>

#include "calls/restart.h"
#include "fast/attach.h"
#include "fast/changes.h"
#include "fast/count/explain.h"
#include "fast/count/fallback.h"
#include "fast/image/handover.h"
#include "fast/image/image.h"
#include "fast/image/mapping.h"
#include "fast/leave.h"
#include "fast/patch/patch.h"
#include "fast/setup.h"
#include "process/tracee.h"
#include "records/debug.h"
#include "sockets/files.h"

#define PAUSE_NS 1000000       /* after a try that threads were in the way of, doubled with each of them ... */
#define PAUSE_DOUBLINGS_MOST 9 /* ... so often */

/* Is this a process that may get stubs, or more of them? */
static bool is_candidate(const struct pt_tracer *t, const struct tracee *tracee)
{
	const struct group *group = tracee->group;

	return t->options.fast && t->counting && !t->detaching && group->counted && !group->fast.slow &&
	       !group->closely && !(tracee->files->unsure & UNSURE_DRY) && !group->fast.free &&
	       !group->fast.clockless && !group->fast.changing && !group->sharers && !group->shares && !tracee->fresh &&
	       !tracee->fast.borrows && !(group->fast.image && group->fast.image->borrowers) &&
	       tracee->call.abi == ABI_NATIVE;
}

/* A site of it was left for another time (live.c). */
static bool is_left(const struct pt_tracer *t, const struct tracee *tracee, uint64_t instruction)
{
	const struct image *image = tracee->group->fast.image;

	return t->options.aggregate && image && kinds_pass(tracee->call.number) &&
	       image_knows_site(image, instruction - 2) && !image_has_site(image, instruction - 2);
}

static bool is_due(const struct pt_tracer *t, const struct tracee *tracee, uint64_t instruction)
{
	const struct group *group = tracee->group;

	return is_candidate(t, tracee) && group->fast.stops >= (uint32_t)t->options.fast &&
	       t->now >= group->fast.tries.not_before &&
	       (!t->filtered || ((kinds_counted(tracee->call.number) || is_left(t, tracee, instruction)) &&
				 !(group->fast.image && image_has_tried(group->fast.image, instruction - 2))));
}

/* While a thread is in such a call, the code that it returns to may be patched. Then it has to stop before it goes on
 * there (live.c), so its exit-stop is wanted. */
static bool is_to_return(const struct pt_tracer *t, const struct tracee *tracee, uint64_t instruction)
{
	const struct group *group = tracee->group;

	return t->options.fast && t->filtered && group->threads > 1 && !group->fast.slow && !group->dry &&
	       !group->closely && group->counted && tracee->call.abi == ABI_NATIVE &&
	       kinds_counted(tracee->call.number) &&
	       !(group->fast.image && image_has_tried(group->fast.image, instruction - 2));
}

bool door_call_stops(struct pt_tracer *t, struct tracee *tracee, uint64_t instruction)
{
	if (!is_candidate(t, tracee) ||
	    (t->filtered && !kinds_counted(tracee->call.number) && !is_left(t, tracee, instruction)))
		return is_to_return(t, tracee, instruction);
	if (tracee->group->fast.stops < (uint32_t)t->options.fast)
		tracee->group->fast.stops++;
	return is_due(t, tracee, instruction) || is_to_return(t, tracee, instruction);
}

static void note_memory(const struct pt_tracer *t, const struct tracee *tracee, bool adopted, int error)
{
	debug(t, PT_DEBUG_MAPPED, tracee->group->tgid,
	      (struct pt_debug_entry){.count = adopted ? PT_DEBUG_ADOPTED : PT_DEBUG_NEW, .error = -error});
}

/* NULL: there is none; -EAGAIN: it may be tried again, else the reason has been reported. */
static struct image *image_for(struct pt_tracer *t, struct tracee *tracee, int *error)
{
	struct image *image = tracee->group->fast.image;
	int found;

	*error = 0;
	if (image)
		return image;
	if (!fallback_none(t, tracee)) {
		*error = -EPERM;
		return NULL;
	}
	found = handover_find(tracee->tid);
	/* Before it gets memory that would be of no use. */
	if (!t->filtered && !found && attach_can(t, tracee) == -ENOEXEC) {
		fallback_report(t, tracee, PT_FALLBACK_CODE, 0);
		*error = -ENOEXEC;
		return NULL;
	}
	if (found < 0)
		*error = found;
	else
		image = found ? attach_adopt(t, tracee, error) : image_create(t, tracee, error);
	note_memory(t, tracee, found == 1, *error);
	if (image) {
		image->by_request = !t->filtered;
		files_fill_image(t, tracee);
	} else if (*error != -ESRCH && *error != -EAGAIN) {
		fallback_report(t, tracee, fallback_of(*error), *error == -EEXIST || *error == -ENOSPC ? 0 : -*error);
	}
	return image;
}

/* Lets the code around a call that has just stopped jump to stubs. */
static int patch_at(struct pt_tracer *t, struct image *image, struct tracee *tracee, uint64_t call)
{
	struct mapping mapping;
	int result = mapping_find(tracee->tid, call, &mapping);

	/* Who has made its code writable rewrites it just now. */
	if (result == 1 && mapping.writable)
		result = 0;
	if (result == 0)
		explain_site(t, tracee->group, tracee->tid, call, EXPLAIN_ANY, PT_SITE_WRITABLE);
	if (result == 1)
		result = patch_mapping(t, image, tracee, &mapping, PATCH_NUMBERED, call);
	if (result != -EAGAIN)
		image_add_tried(image, call);
	if (result >= 0 && !image_has_site(image, call))
		fallback_report(t, tracee, PT_FALLBACK_CODE, 0);
	return result < 0 ? result : 0;
}

/* So it is counted at stops; for good, but for -EAGAIN. */
static void give_up(struct pt_tracer *t, struct tracee *tracee, int error)
{
	struct group *group = tracee->group;

	if (error == -EAGAIN) {
		unsigned int doublings = group->fast.tries.count < PAUSE_DOUBLINGS_MOST ? group->fast.tries.count++
											: PAUSE_DOUBLINGS_MOST;

		group->fast.tries.not_before = t->now + ((int64_t)PAUSE_NS << doublings);
		debug(t, PT_DEBUG_LATER, group->tgid,
		      (struct pt_debug_entry){.count = (uint64_t)PAUSE_NS << doublings});
		return;
	}
	group->fast.stops = 0;
	if (!group->fast.image) {
		group->fast.slow = true;
	} else if (error == -EMLINK) {
		door_withdraw(t, tracee, PT_FALLBACK_THREADS);
	} else if (!t->filtered) {
		door_withdraw(t, tracee, error == -ENOEXEC ? PT_FALLBACK_CODE : PT_FALLBACK_MEMORY);
	} else {
		fallback_report(t, tracee, PT_FALLBACK_MEMORY, -error);
	}
}

/* Has an fd of its call become another one since it was made? */
static bool is_elsewhere(struct pt_tracer *t, const struct tracee *tracee)
{
	const struct call *call = &tracee->call;

	for (int i = 0; call->entry && i < 2; i++)
		if (call->socket[i] && files_known(t, tracee->files, call->fd[i]) != call->socket[i])
			return true;
	return false;
}

/* A thread that is stopped makes its call again, and the kernel looks its fd up anew. If another thread has closed that
 * meanwhile, and the number names something else, the program would see a difference. */
static bool may_stop_all(struct pt_tracer *t, const struct group *group)
{
	struct tracee *tracee;

	if (group->fast.image && group->fast.image->fading)
		return false;
	for_each_tracee (t, tracee)
		if (tracee->group == group && is_elsewhere(t, tracee))
			return false;
	return true;
}

void door_call_stopped(struct pt_tracer *t, struct tracee *tracee, uint64_t instruction, int64_t result)
{
	struct image *image;
	int error;

	error = changes_made(t, tracee, result);
	if (error)
		give_up(t, tracee, error == -EAGAIN && tracee->group->fast.free ? -ENOEXEC : error);
	/* A call that the kernel is about to restart is left alone: the next one will do. Behind rt_sigreturn(2) the
	 * thread does not stand behind a call. */
	if (tracee->hold || tracee->call.number == SYS_rt_sigreturn || tracee->call.stage || restart_result(result))
		return;
	leave_if_withdrawn(t, tracee);
	if (!is_due(t, tracee, instruction) || (!t->filtered && !may_stop_all(t, tracee->group)))
		return;
	image = image_for(t, tracee, &error);
	if (image)
		error = t->filtered ? patch_at(t, image, tracee, instruction - 2) : attach_free(t, image, tracee);
	if (error)
		give_up(t, tracee, error);
}
