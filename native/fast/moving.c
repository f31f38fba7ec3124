/* SPDX-License-Identifier: GPL-2.0-only
 *
 * While all threads of a process stand, those that stand inside of replaced bytes, or in stubs that are taken away, are
 * moved to where the same instruction is now. So are the addresses that signal handlers return to.
 */
#include "fast/moving.h"

#include <errno.h>

#include "fast/asker.h"
#include "fast/asking.h"
#include "fast/halt.h"
#include "fast/layout.h"
#include "fast/place.h"
#include "fast/twin.h"
#include "registers.h"
#include "restart.h"
#include "tracee.h"

/* Sites that are about to be patched, and where those stand that patch.c has to look at. */
struct round {
	const struct image *image;
	unsigned int first; /* of image->sites */
};

/* Where somebody has to go on who stands at this address of the program. */
static uint64_t into_stubs(const void *context, uint64_t address, int64_t result)
{
	const struct round *round = context;
	const struct image *image = round->image;

	(void)result;
	for (unsigned int i = round->first; i < image->site_count; i++) {
		const struct fast_site *site = &image->sites[i];

		/* The last byte of the range is the jump's, or nobody's; right behind it the call has not to be made
		 * again, unless the kernel has to restart it, which the twin serves, too. */
		if (!site->jumps || address <= site->begin || address > site->call + 2 + site->after ||
		    (site->after && address == site->call + 2 + site->after))
			continue;
		if (address >= site->call + 2)
			return image_twin(image, site) + TWIN_DONE + (address - (site->call + 2));
		if (address == site->call)
			return image_twin(image, site) + TWIN_CALL;
		return site->stub_at + (address - site->begin);
	}
	return 0;
}

/* And who stands in a stub or twin, when the program's own bytes are back. What has made its call finishes there. */
static uint64_t out_of_stubs(const void *context, uint64_t address, int64_t result)
{
	struct place place;

	if (!place_find(context, address, &place))
		return 0;
	switch (place.stage) {
	case STAGE_ROOM:
		return place.site->begin + place.offset;
	case STAGE_BEFORE:
		return place.site->call;
	case STAGE_CALL:
		return place.body && !restart_result(result) ? 0 : place.site->call + 2;
	default:
		return 0;
	}
}

struct moving {
	struct pt_tracer *t;
	move_function move;
	const void *context;
	unsigned int calls; /* that it will make in twins */
};

/* A twin's call has to be seen, and who comes to it this way has not asked. */
static uint64_t move_and_look(const void *context, uint64_t address, int64_t result)
{
	struct moving *moving = (struct moving *)(uintptr_t)context;
	uint64_t other = moving->move(moving->context, address, result);
	bool unfinished = restart_result(result) || result == -ENOSYS;

	if (other >= FAST_TWINS && other < FAST_ASK) {
		unsigned int offset = other & ((1u << FAST_TWIN_BITS) - 1);

		moving->calls += offset == TWIN_CALL || (offset == TWIN_DONE && unfinished);
	}
	moving->calls += asking_is_seen(other);
	return other;
}

static void move_thread(pid_t tid, void *context)
{
	struct moving *moving = context;
	struct tracee *tracee = tracee_find(moving->t, tid);
	struct registers regs;
	uint64_t other;

	if (registers_read(tid, &regs) < 0) {
		if (tracee)
			tracee->relocate = true; /* it is in the kernel (halt.c), and is looked at at its next stop */
		return;
	}
	if (registers_compat(&regs))
		return;
	moving->calls = 0;
	other = move_and_look(moving, registers_instruction(&regs), registers_result(&regs));
	if (other) {
		registers_set_instruction(&regs, other);
		registers_write(tid, &regs);
	}
	frames_move(tid, registers_stack(&regs), move_and_look, moving);
	/* One that is only being born has no group yet, and stands behind a call. */
	if (tracee && tracee->group && tracee->group->image && tracee->group->image->asks)
		tracee->asked += moving->calls;
}

void moving_threads(struct pt_tracer *t, const struct group *group, move_function move, const void *context)
{
	struct moving moving = {.t = t, .move = move, .context = context};

	halt_each(group, move_thread, &moving);
}

static uint64_t stay(const void *context, uint64_t address, int64_t result)
{
	(void)context, (void)result;
	return address >= FAST_TWINS && address < FAST_CODE + FAST_CODE_SIZE ? address : 0;
}

static void forget_asked(struct pt_tracer *t, struct tracee *tracee, void *group)
{
	(void)t;
	if (tracee->group == group)
		tracee->asked = 0;
}

void moving_count_asked(struct pt_tracer *t, struct group *group)
{
	tracee_each(t, forget_asked, group);
	moving_threads(t, group, stay, NULL);
}

void moving_in(struct pt_tracer *t, const struct image *image, unsigned int first)
{
	const struct round round = {.image = image, .first = first};

	moving_threads(t, image->group, into_stubs, &round);
}

void moving_one(struct pt_tracer *t, const void *context, pid_t tid, move_function move)
{
	struct moving moving = {.t = t, .move = move, .context = context};

	move_thread(tid, &moving);
}

void moving_one_in(struct pt_tracer *t, const struct image *image, pid_t tid)
{
	const struct round round = {.image = image};

	moving_one(t, &round, tid, into_stubs);
}

static void leave_ask(pid_t tid, void *context)
{
	(void)context;
	asker_go_back(tid);
}

void moving_out(struct pt_tracer *t, struct image *image)
{
	halt_each(image->group, leave_ask, NULL);
	moving_threads(t, image->group, out_of_stubs, image);
}

void moving_one_out(struct pt_tracer *t, const struct image *image, pid_t tid)
{
	moving_one(t, image, tid, out_of_stubs);
}
