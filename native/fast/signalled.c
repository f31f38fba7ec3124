/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Where the thread goes on when the handler returns:
 *
 *   it has not made its call yet: in the twin, where the call stops
 *
 *   its call was interrupted: there too, behind the call. The kernel sets rip back if it makes the call again, and if
 *   not (EINTR), restart.c emits it as it does a call that stopped
 *
 *   its call has ended: at the end of the stub; its record is emitted now
 *
 * pthread_cancel(3) is a signal, too, and its handler unwinds the stack from where the thread stood: glibc by the
 * unwind tables of its own code, which know nothing of stubs; musl if that lies between two labels around its syscall
 * instruction. So before that signal a thread goes back to the site, or behind it.
 */
#include "fast/signalled.h"
#include "fast/count/fading.h"
#include "fast/count/under_way.h"

#include <string.h>

#include "calls/restart.h"
#include "fast/count/slot.h"
#include "fast/image/attempter.h"
#include "fast/image/ender.h"
#include "fast/image/kinds.h"
#include "fast/image/layout.h"
#include "fast/image/twin.h"
#include "fast/patch/closer.h"
#include "fast/patch/connector.h"
#include "fast/patch/handled.h"
#include "fast/patch/inflight.h"
#include "fast/patch/position.h"
#include "fast/patch/returns.h"
#include "machine/memory.h"
#include "sockets/files.h"

/* In the call, which the kernel may make again? */
static bool is_interrupted(const struct position *place, const struct registers *regs)
{
	return place->stage == STAGE_CALL && restart_result(registers_result(regs));
}

/* The result is in rax, unless inflight.c knows better. */
static bool has_returned(const struct position *place, const struct registers *regs)
{
	return place->stage >= STAGE_CALL && !is_interrupted(place, regs);
}

/* As transfer_exit() does at a stop. */
static void remember(struct pt_tracer *t, struct image *image, struct tracee *tracee, const struct position *place,
		     const struct registers *regs)
{
	int fd = (int)registers_argument(regs, 0, false);
	const struct syscall_entry *entry = syscall_find(ABI_NATIVE, place->body->number), *under_way;
	struct socket *socket = fading_of(image, (unsigned int)fd,
					  slot_shown(slot_generation(image, (unsigned int)fd)));

	if (!entry || (!socket && files_lookup(t, tracee, fd, &socket) != 1))
		return;
	restart_forget(t, tracee);
	under_way = tracee->call.entry;
	tracee->call.entry = entry;
	restart_remember(tracee, socket, fd, entry->direction, (int)-registers_result(regs));
	tracee->call.entry = under_way;
}

/* What has been opened, or accepted, is not noted then: its handler may close it. */
static bool leaves_opening(const struct position *place, struct registers *regs)
{
	if (!place->in_stub || !place->body || !has_returned(place, regs) ||
	    !(kinds_opens(place->body->number) || kinds_bear(place->body->number)))
		return false;
	registers_set_instruction(regs, place->site->stub_at + place->site->stub->tail);
	return true;
}

static void before_handler(struct pt_tracer *t, struct image *image, struct tracee *tracee,
			   const struct position *place, struct registers *regs)
{
	uint64_t twin = image_twin(image, place->site);

	if (!place->in_stub || leaves_opening(place, regs))
		return;
	if (has_returned(place, regs)) {
		if (closer_leaves(image, regs))
			registers_set_instruction(regs, place->site->stub_at + place->site->stub->tail);
		else if (!connector_leaves(t, image, tracee, regs) && place->body &&
			 inflight_count(t, image, tracee, regs, false))
			inflight_finish(image, regs);
		return;
	}
	closer_leaves(image, regs);
	if (!connector_leaves(t, image, tracee, regs) && place->under_way)
		under_way_release(image, (unsigned int)registers_argument(regs, 0, false));
	if (place->stage == STAGE_BEFORE) {
		registers_set_instruction(regs, twin + (image->by_request ? 0 : TWIN_CALL));
		return;
	}
	if (place_counts(place) && place->under_way)
		remember(t, image, tracee, place, regs);
	registers_set_instruction(regs, twin + TWIN_DONE);
	tracee->fast.requests += image->by_request; /* the kernel may make the call again, there */
}

/* mov [rsp+8], r11: the call has lost r11 since, but that is where it was put. */
static void give_back_r11(pid_t tid, const struct fast_site *site, struct registers *regs)
{
	uint64_t value;

	if (site->before == 5 && site->original[0] == 0x4c && site->original[1] == 0x89 &&
	    memory_read(tid, registers_stack(regs) + 8, &value, sizeof(value)) == 0)
		registers_set_r11(regs, value);
}

/* cmp rax, imm32 is all that stands behind the call? Then it is done here, and the thread is back in the program. */
static void go_behind_site(const struct fast_site *site, struct registers *regs)
{
	int32_t operand;

	if (site->after != 6 || site->original[site->before + 2] != 0x48 || site->original[site->before + 3] != 0x3d)
		return;
	memcpy(&operand, site->original + site->before + 4, sizeof(operand));
	registers_compare(regs, operand);
	registers_set_instruction(regs, site->call + 2 + site->after);
}

static void before_cancellation(struct pt_tracer *t, struct image *image, struct tracee *tracee,
				const struct position *place, struct registers *regs)
{
	closer_leaves(image, regs);
	if (has_returned(place, regs)) {
		leaves_opening(place, regs);
		if (!connector_leaves(t, image, tracee, regs) && place->in_stub && place->body &&
		    inflight_count(t, image, tracee, regs, false))
			inflight_finish(image, regs);
		go_behind_site(place->site, regs);
		return;
	}
	if (!connector_leaves(t, image, tracee, regs) && place->under_way)
		under_way_release(image, (unsigned int)registers_argument(regs, 0, false));
	if (is_interrupted(place, regs))
		registers_restart(regs, (int64_t)registers_number(regs));
	give_back_r11(tracee->tid, place->site, regs);
	registers_set_instruction(regs, place->site->begin);
}

void signalled(struct pt_tracer *t, struct image *image, struct tracee *tracee, int signal)
{
	bool cancels = signal == SIGNAL_CANCEL || signal == SIGNAL_CANCEL_MUSL;
	struct registers regs;
	struct position place;

	if (registers_read(tracee->tid, &regs) < 0 || registers_instruction(&regs) < FAST_CODE ||
	    registers_instruction(&regs) >= FAST_CODE + FAST_CODE_SIZE)
		return;
	if (!restart_has_handler(tracee->tid, signal))
		return;
	/* It is written below: whoever comes from there stands before its call. */
	if (!ender_leaves(image, tracee->tid, &regs))
		attempter_leaves(image, tracee->tid, &regs);
	if (!position_find(image, registers_instruction(&regs), &place) || place.stage == STAGE_ROOM)
		return handled_note(image, tracee->tid, &regs);
	if (cancels && (place.site->repeatable || has_returned(&place, &regs)))
		before_cancellation(t, image, tracee, &place, &regs);
	else
		before_handler(t, image, tracee, &place, &regs);
	handled_note(image, tracee->tid, &regs);
	registers_write(tracee->tid, &regs);
}
