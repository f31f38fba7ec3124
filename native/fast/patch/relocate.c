/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * While all threads of a process stand, those that stand inside of replaced bytes, or in stubs that are taken away, are
 * moved to where the same instruction is now. So are the addresses that signal handlers return to.
 */
#include "fast/patch/relocate.h"

#include <errno.h>
#include <stdlib.h>

#include "calls/restart.h"
#include "fast/image/attempter.h"
#include "fast/image/ender.h"
#include "fast/image/layout.h"
#include "fast/image/requester.h"
#include "fast/image/twin.h"
#include "fast/patch/closer.h"
#include "fast/patch/connector.h"
#include "fast/patch/halt.h"
#include "fast/patch/position.h"
#include "fast/patch/returns.h"
#include "machine/proc.h"
#include "machine/registers.h"
#include "process/tracee.h"

/* Sites that are about to be patched, and where those stand that patch.c has to look at. */
struct round {
	const struct image *image;
	unsigned int first; /* of image->sites */
	bool changes;	    /* those that have no jump yet, but are about to get it */
};

/* Where a thread has to go on that stands at this address of the program. */
static uint64_t into_stubs(const void *context, uint64_t address, int64_t result)
{
	const struct round *round = context;
	const struct image *image = round->image;

	(void)result;
	for (unsigned int i = round->first; i < image->site_count; i++) {
		const struct fast_site *site = &image->sites[i];

		/* The last byte of the range is the jump's, or nobody's; right behind it the call has not to be made
		 * again, unless the kernel has to restart it, which the twin serves, too. */
		if (!(round->changes ? site->changes : site->jumps) || address <= site->begin ||
		    address > site->call + 2 + site->after || (site->after && address == site->call + 2 + site->after))
			continue;
		if (address >= site->call + 2)
			return image_twin(image, site) + TWIN_DONE + (address - (site->call + 2));
		if (address == site->call)
			return image_twin(image, site) + TWIN_CALL;
		return site->stub_at + (address - site->begin);
	}
	return 0;
}

/* And one that stands in a stub or twin, when the program's own bytes are back. If it has made its call it finishes
 * there. */
static uint64_t out_of_stubs(const void *context, uint64_t address, int64_t result)
{
	struct position place;

	if (!position_find(context, address, &place))
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
	struct stack_pointer *stacks; /* of the threads that are moved */
	unsigned int count;
	unsigned int size;
	bool strict; /* nobody is moved if not all frames can be known */
	int error;
};

/* A twin's call has to be seen, but a thread that was moved there has made no request. Is it about to make such a call?
 */
static bool is_to_call(uint64_t address, int64_t result)
{
	bool unfinished = restart_result(result) || result == -ENOSYS;
	unsigned int offset = address & ((1u << FAST_TWIN_BITS) - 1);

	if (address >= FAST_TWINS && address < FAST_REQUEST)
		return offset == TWIN_CALL || (offset == TWIN_DONE && unfinished);
	return requester_is_seen(address);
}

static void will_call(struct pt_tracer *t, pid_t tid, uint64_t address, int64_t result)
{
	struct tracee *tracee = tracee_find(t, tid);

	/* One that is only being born has no group yet, and stands behind a call. */
	if (tracee && tracee->group && tracee->group->fast.image && tracee->group->fast.image->by_request)
		tracee->fast.requests += is_to_call(address, result);
}

static void move_thread(pid_t tid, void *context)
{
	struct moving *moving = context;
	struct tracee *tracee = tracee_find(moving->t, tid);
	const struct image *image = tracee && tracee->group ? tracee->group->fast.image : NULL;
	struct registers regs;
	uint64_t other;
	bool left;

	if (registers_read(tid, &regs) < 0) {
		if (tracee)
			tracee->fast.relocate = true; /* it is in the kernel (halt.c): its next stop is looked at */
		return;
	}
	if (registers_compat(&regs))
		return;
	left = image && (ender_leaves(image, tid, &regs) || attempter_leaves(image, tid, &regs));
	other = moving->move(moving->context, registers_instruction(&regs), registers_result(&regs));
	if (!other) {
		if (left)
			registers_write(tid, &regs);
		return;
	}
	if (image && !closer_leaves(image, &regs))
		connector_leaves(moving->t, image, tracee, &regs);
	will_call(moving->t, tid, other, registers_result(&regs));
	registers_set_instruction(&regs, other);
	registers_write(tid, &regs);
}

static void add_stack(pid_t tid, void *context)
{
	struct moving *moving = context;
	struct stack_pointer *more = moving->stacks;
	struct registers regs;
	struct proc_place place;
	uint64_t stack;

	if (moving->error)
		return;
	if (registers_read(tid, &regs) == 0 && !registers_compat(&regs))
		stack = registers_stack(&regs);
	else if (registers_read(tid, &regs) < 0 && proc_place(tid, &place) == 1)
		stack = place.stack; /* it sleeps in a call (halt.h) */
	else
		return;
	if (moving->count == moving->size) {
		moving->size = moving->size * 2 + 16;
		more = realloc(more, moving->size * sizeof(*more));
		if (!more) {
			moving->error = -ENOMEM;
			return;
		}
		moving->stacks = more;
	}
	more[moving->count++] = (struct stack_pointer){stack, tid};
}

static int move_all(struct moving *moving, void (*each)(struct moving *, void (*)(pid_t, void *), const void *),
		    const void *of)
{
	struct frames frames = {0};

	each(moving, add_stack, of);
	if (!moving->error && moving->count)
		moving->error = signal_frames_find(moving->stacks[0].tid, moving->stacks, moving->count, moving->move,
						   moving->context, &frames);
	if (!moving->error || !moving->strict) {
		each(moving, move_thread, of);
		for (unsigned int i = 0; i < frames.count; i++) {
			const struct frame *frame = &frames.list[i];

			will_call(moving->t, frame->tid, frame->to, frame->result);
			signal_frames_put(moving->stacks[0].tid, frame);
		}
	}
	free(frames.list);
	free(moving->stacks);
	return moving->error;
}

static void each_of_group(struct moving *moving, void (*visit)(pid_t tid, void *context), const void *group)
{
	halt_each(group, visit, moving);
}

static void only_one(struct moving *moving, void (*visit)(pid_t tid, void *context), const void *tid)
{
	visit(*(const pid_t *)tid, moving);
}

int relocate_threads(struct pt_tracer *t, const struct group *group, move_function move, const void *context)
{
	struct moving moving = {.t = t, .move = move, .context = context};

	return move_all(&moving, each_of_group, group);
}

void relocate_one(struct pt_tracer *t, const void *context, pid_t tid, move_function move)
{
	struct moving moving = {.t = t, .move = move, .context = context};

	move_all(&moving, only_one, &tid);
}

static uint64_t stay(const void *context, uint64_t address, int64_t result)
{
	(void)context, (void)result;
	return address >= FAST_TWINS && address < FAST_CODE + FAST_CODE_SIZE ? address : 0;
}

int relocate_count_requests(struct pt_tracer *t, struct group *group)
{
	struct tracee *tracee;

	for_each_tracee (t, tracee)
		if (tracee->group == group)
			tracee->fast.requests = 0;
	return relocate_threads(t, group, stay, NULL);
}

/* Nobody knows which thread will go on there: where requests are made this one has to make its own. */
static uint64_t into_stubs_requesting(const void *context, uint64_t address, int64_t result)
{
	const struct round *round = context;
	uint64_t to = into_stubs(context, address, result);
	bool calls = to >= FAST_TWINS && to < FAST_REQUEST && (to & ((1u << FAST_TWIN_BITS) - 1)) == TWIN_CALL;

	return calls && round->image->by_request ? to - TWIN_CALL : to;
}

unsigned int relocate_known(const struct image *image, pid_t tid)
{
	const struct round round = {.image = image, .changes = true};

	return returns_move(image->group, tid, into_stubs_requesting, &round);
}

int relocate_in(struct pt_tracer *t, const struct image *image, unsigned int first)
{
	const struct round round = {.image = image, .first = first};
	struct moving moving = {.t = t, .move = into_stubs, .context = &round, .strict = true};

	return move_all(&moving, each_of_group, image->group);
}

void relocate_one_in(struct pt_tracer *t, const struct image *image, pid_t tid)
{
	const struct round round = {.image = image};

	relocate_one(t, &round, tid, into_stubs);
}

static void leave_request(pid_t tid, void *context)
{
	(void)context;
	requester_go_back(tid);
}

void relocate_out(struct pt_tracer *t, struct image *image)
{
	halt_each(image->group, leave_request, NULL);
	relocate_threads(t, image->group, out_of_stubs, image);
}

void relocate_one_out(struct pt_tracer *t, const struct image *image, pid_t tid)
{
	relocate_one(t, image, tid, out_of_stubs);
}
