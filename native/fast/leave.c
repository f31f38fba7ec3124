/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The program's own bytes are back, so whatever a thread has still to do in a stub or twin it can do at the site as
 * well: the instructions behind the call are the same. Only a call that a stub counts, and that has not returned, has
 * to return there.
 */
#include "fast/leave.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "calls/restart.h"
#include "fast/count/drain.h"
#include "fast/door.h"
#include "fast/image/emit_code.h"
#include "fast/image/layout.h"
#include "fast/image/maps.h"
#include "fast/image/twin.h"
#include "fast/patch/connector.h"
#include "fast/patch/halt.h"
#include "fast/patch/handled.h"
#include "fast/patch/inflight.h"
#include "fast/patch/inject.h"
#include "fast/patch/patch.h"
#include "fast/patch/position.h"
#include "fast/patch/relocate.h"
#include "fast/patch/signal_frames.h"
#include "fast/requests.h"
#include "fast/setup.h"
#include "loop/stop.h"
#include "loop/wait.h"
#include "machine/proc.h"
#include "machine/proc_program.h"
#include "process/tracee.h"
#include "records/debug.h"
#include "sockets/files.h"

#define LEAVINGS_MOST 6
#define PAUSE_NS (NSEC_PER_SEC / 10) /* before the second try; doubled for each one more */

static void finish(struct pt_tracer *t, struct image *image, struct tracee *tracee)
{
	struct registers regs;

	if (registers_read(tracee->tid, &regs) < 0)
		return;
	inflight_count(t, image, tracee, &regs, false);
	if (inflight_finish(image, &regs) || connector_finishes(t, image, tracee, &regs))
		registers_write(tracee->tid, &regs);
}

/* Where in the program somebody goes on who is past the call. 0: it can't be told. */
static uint64_t behind_call(const struct position *place)
{
	const struct fast_site *site = place->site;
	const uint32_t begin = place->in_stub ? site->stub->tail : TWIN_DONE;
	const uint32_t replayed = (uint32_t)site->after - site->jump;

	if (place->offset <= begin)
		return site->call + 2;
	/* The replaced instructions stand here as they do there. A relative jump at their end does not, and behind them
	 * there are only nops and the jump back: both lead to where that one leads. */
	return site->call + 2 + (place->offset - begin < replayed ? place->offset - begin : replayed);
}

/* For who is left when patch_withdraw() is done. */
static uint64_t out(const void *context, uint64_t address, int64_t result)
{
	struct position place;

	if (!position_find(context, address, &place) || place.stage < STAGE_CALL)
		return 0;
	/* Before the call (-ENOSYS stands for its result), or in the middle of a record. */
	if (place.in_stub && place.body && place_counts(&place) && place.under_way)
		return 0;
	if (place.stage == STAGE_CALL && result == -ENOSYS)
		return 0;
	return behind_call(&place);
}

struct inside {
	bool found;
};

static uint64_t look(const void *context, uint64_t address, int64_t result)
{
	struct inside *inside = (struct inside *)(uintptr_t)context;

	(void)result;
	inside->found |= address >= FAST_DATA && address < FAST_END;
	return 0;
}

/* A thread whose registers can't be read does not stand. It may be anywhere, unless it sleeps in the kernel. */
static void look_at_thread(pid_t tid, void *context)
{
	struct inside *inside = context;
	struct registers regs;
	struct proc_place place;
	struct stack_pointer stack;
	struct frames frames = {0};

	if (registers_read(tid, &regs) == 0 || !proc_lives(tid))
		return;
	if (proc_place(tid, &place) != 1) {
		inside->found = true;
		return;
	}
	stack = (struct stack_pointer){place.stack, tid};
	look(inside, place.instruction, 0);
	if (signal_frames_find(tid, &stack, 1, look, inside, &frames) < 0)
		inside->found = true;
	free(frames.list);
}

bool leave_stubs(struct pt_tracer *t, struct image *image)
{
	struct inside inside = {image->borrowers > 0 || handled_may_return(image)};
	struct tracee *tracee;

	for_each_tracee (t, tracee)
		if (tracee->group == image->group)
			finish(t, image, tracee);
	relocate_threads(t, image->group, out, image);
	halt_each(image->group, look_at_thread, &inside);
	inside.found |= relocate_threads(t, image->group, look, &inside) < 0;
	return !inside.found;
}

int leave_memory(struct pt_tracer *t, struct tracee *tracee, const struct registers *back, bool before_call)
{
	struct group *group = tracee->group;
	int error;

	drain_now(t, group->fast.image);
	if (group->fast.image->files)
		files_leave_image(t, group->fast.image->files);
	error = inject_unmap(t, tracee, FAST_DATA, FAST_END - FAST_DATA, back, before_call);
	if (error && !mapped_within(group->tgid, FAST_DATA, FAST_END))
		error = 0;
	debug(t, PT_DEBUG_UNMAPPED, group->tgid, (struct pt_debug_entry){.error = -error});
	if (error)
		return error;
	image_forget(t, group);
	return 0;
}

/* Does it stand for nothing but PTRACE_INTERRUPT? Only then can it be led elsewhere and back: what another stop has
 * to say is read from its registers when its turn comes. */
static bool is_interrupted(const struct pt_tracer *t, pid_t tid)
{
	const struct found *found = &t->found;
	bool interrupted = false;

	for (unsigned int i = found->next; i < found->count; i++) {
		if (found->stops[i].tid != tid)
			continue;
		if (stop_kind(found->stops[i].status) != STOP_INTERRUPT)
			return false;
		interrupted = true;
	}
	return interrupted;
}

/* The stop of a tracee that is kept for its turn; NULL: there is none, or there are more. */
static struct found_stop *kept_stop(struct pt_tracer *t, pid_t tid)
{
	struct found *found = &t->found;
	struct found_stop *kept = NULL;

	for (unsigned int i = found->next; i < found->count; i++) {
		if (found->stops[i].tid != tid)
			continue;
		if (kept)
			return NULL;
		kept = &found->stops[i];
	}
	return kept;
}

/* Comes to the stop of the signal that it has sent itself, if it does not stand there, and from that to its call. */
static void finish_request(struct pt_tracer *t, struct tracee *tracee)
{
	struct found_stop *kept = kept_stop(t, tracee->tid);
	int status;

	if (kept && stop_kind(kept->status) == STOP_INTERRUPT && requests_sent(t, tracee) &&
	    inject_next_stop(tracee->tid, &status) == 0)
		kept->status = status;
	if (kept && stop_kind(kept->status) == STOP_SIGNAL && door_requests(t, tracee, WSTOPSIG(kept->status)))
		kept->status = STOP_INTERRUPT_STATUS;
}

void leave_requests(struct pt_tracer *t, const struct image *image)
{
	struct tracee *tracee;

	for_each_tracee (t, tracee)
		if (tracee->group == image->group)
			finish_request(t, tracee);
}

struct choice {
	struct tracee *best;
	struct registers back;
	bool idle; /* the best one is in no call */
};

/* The kernel makes a call again when it lets the thread go on that was stopped in it. This one will have made another
 * call meanwhile, so that is done by hand. */
static void make_again(struct registers *regs)
{
	int64_t number = (int64_t)registers_number(regs);

	if (number < 0 || !restart_result(registers_result(regs)))
		registers_forget_call(regs);
	else
		registers_restart(regs,
				  registers_result(regs) == -ERESTART_RESTARTBLOCK ? SYS_restart_syscall : number);
}

static void consider(const struct pt_tracer *t, struct tracee *tracee, struct choice *choice)
{
	struct registers regs;
	bool idle;

	if (tracee->state == TRACEE_EXITING || tracee->call.stage || choice->idle || !is_interrupted(t, tracee->tid) ||
	    registers_read(tracee->tid, &regs) < 0 || registers_compat(&regs))
		return;
	idle = (int64_t)registers_number(&regs) < 0 || !restart_result(registers_result(&regs));
	if (choice->best && !idle)
		return;
	make_again(&regs);
	*choice = (struct choice){.best = tracee, .back = regs, .idle = idle};
}

bool leave_by_any(struct pt_tracer *t, struct image *image)
{
	struct choice choice = {0};
	struct tracee *tracee;

	for_each_tracee (t, tracee)
		if (tracee->group == image->group)
			consider(t, tracee, &choice);
	return choice.best && leave_memory(t, choice.best, &choice.back, false) == 0;
}

static bool is_to_be_left(const struct pt_tracer *t, const struct tracee *tracee)
{
	const struct group *group = tracee->group;
	const struct image *image = group->fast.image;

	/* A filter of its own may forbid the call that this takes, and dispatch would send it to the program. */
	return image && image->stage >= IMAGE_TO_WITHDRAW && image->leave.tries < LEAVINGS_MOST &&
	       t->now >= image->leave.not_before && tracee->call.abi == ABI_NATIVE &&
	       !(group->fast.fallen & (1u << PT_FALLBACK_SANDBOX | 1u << PT_FALLBACK_DISPATCH));
}

void leave_if_withdrawn(struct pt_tracer *t, struct tracee *tracee)
{
	struct group *group = tracee->group;
	struct image *image = group->fast.image;
	struct registers regs;

	if (!is_to_be_left(t, tracee))
		return;
	image->leave.not_before = t->now + (PAUSE_NS << image->leave.tries++);
	if (!halt_process(t, group, tracee))
		return;
	if (image->stage < IMAGE_WITHDRAWN)
		patch_withdraw(t, image, tracee->tid);
	if (leave_stubs(t, image) && registers_read(tracee->tid, &regs) == 0 && !registers_compat(&regs))
		leave_memory(t, tracee, &regs, false);
}
