/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fast/patch/pass.h"

#include <time.h>

#include "fast/image/emit_code.h"
#include "fast/patch/halt.h"
#include "fast/patch/relocate.h"
#include "fast/patch/stance.h"
#include "machine/interrupt.h"
#include "process/breakpoint.h"
#include "process/tracee.h"

#define PATIENCE_NS (2 * 1000 * 1000LL)
#define PAUSE_NS 20000

static bool is_within(const struct pass *pass, uint64_t address)
{
	for (unsigned int i = 0; i < pass->image->site_count; i++) {
		const struct fast_site *site = &pass->image->sites[i];

		/* Behind the call also where nothing is replaced there: the kernel may go back to make it again. */
		if (site->changes && address > site->begin &&
		    (address <= site->call + 2 || address < site->begin + site_size(site)))
			return true;
	}
	return false;
}

/* Whoever gets into these bytes by a call has stopped there. A thread that was resumed has not moved on until it gets a
 * CPU, and that may take as long as the scheduler likes; what it was resumed from is left behind at its next stop. */
static bool has_left(const struct pass *pass, const struct tracee *tracee)
{
	return tracee && tracee->resumed.from && !is_within(pass, tracee->resumed.from);
}

/* Who runs, and has not stopped since it was dry (calls/dry.c), may be on its way out of a call that did not stop; but
 * not once it has been in user mode. */
static bool may_return_unseen(struct tracee *tracee)
{
	if (tracee && tracee->unstopped && interrupt_was_in_user_mode(tracee))
		tracee->unstopped = false;
	return !tracee || tracee->unstopped;
}

static void may_trap(pid_t tid, void *context)
{
	struct pass *pass = context;
	struct tracee *tracee = tracee_find(pass->t, tid);
	enum stance stance;
	uint64_t instruction;

	if (!pass->ok || tid == pass->handled || !tracee)
		return;
	stance = stance_of(pass->t, tid, &instruction);
	if (stance != STANCE_STANDS && stance != STANCE_RETURNS)
		pass->ok = breakpoint_may_trap(tracee);
}

static void is_elsewhere(pid_t tid, void *context)
{
	struct pass *pass = context;
	struct tracee *tracee = tracee_find(pass->t, tid);
	uint64_t instruction = 0;
	bool elsewhere = true;

	if (tid == pass->handled || (tracee && tracee->fast.elsewhere))
		return;
	switch (stance_of(pass->t, tid, &instruction)) {
	case STANCE_SLEEPS:
		elsewhere = !is_within(pass, instruction);
		break;
	case STANCE_RUNS:
		elsewhere = pass->plain && has_left(pass, tracee) && !may_return_unseen(tracee);
		break;
	default:
		break;
	}
	pass->ok &= elsewhere;
	if (tracee)
		tracee->fast.elsewhere = elsewhere;
}

bool pass_all_elsewhere(struct pass *pass)
{
	pass->ok = true;
	halt_each(pass->image->group, is_elsewhere, pass);
	return pass->ok;
}

bool pass_wait_until_elsewhere(struct pass *pass)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	const int64_t end = now_ns() + PATIENCE_NS;
	struct tracee *tracee;

	for_each_tracee (pass->t, tracee)
		tracee->fast.elsewhere &= tracee->group != pass->image->group;
	while (!pass_all_elsewhere(pass)) {
		if (now_ns() > end)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

static void relocate(pid_t tid, void *context)
{
	struct pass *pass = context;
	struct tracee *tracee = tracee_find(pass->t, tid);

	/* A thread that stands may be resumed by something else than the handling of its stop (hold.c), so it is moved
	 * now. */
	if (tid == pass->handled || halt_stands(pass->t, tid))
		relocate_one_in(pass->t, pass->image, tid);
	else if (tracee)
		tracee->fast.relocate = true;
}

void pass_relocate(struct pass *pass)
{
	halt_each(pass->image->group, relocate, pass);
}

bool pass_may_all_trap(struct pass *pass)
{
	pass->ok = true;
	halt_each(pass->image->group, may_trap, pass);
	return pass->ok;
}
