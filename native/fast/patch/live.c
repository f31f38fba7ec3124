/* SPDX-License-Identifier: GPL-2.0-only
 *
 * A jump of 7 bytes can't be written in one go, and a thread may stand in the middle of what it replaces. So:
 *
 *   1. The first byte of each site becomes int3 (one byte is written whole). From now on nobody gets into these bytes
 *      any more but by a trap, whose thread stops before the tracer (await_trapped) and tries once more when all is
 *      done.
 *   2. All threads are looked at. Who stands can be moved on. Who is in a call whose syscall-exit-stop is still to
 *      come is moved on there. Who sleeps in the kernel does so elsewhere, or the patch waits. Who runs is elsewhere,
 *      too, if only a call leads into these bytes, for that would have stopped (plain); or the patch waits. Each need
 *      be seen elsewhere but once: nobody gets in any more.
 *   3. The other bytes are written, and then the first.
 *
 * A thread that does not stand at 2. may since have made one of these calls, before its int3 was there. Then it is in a
 * seccomp-stop, which comes to its turn: so each such thread is looked at once more at its next stop (relocate).
 *
 * Where a thread that does not stand may not trap (breakpoint_may_trap) the patch waits.
 */
#include "fast/patch/live.h"

#include <errno.h>
#include <time.h>

#include "fast/image/emit_code.h"
#include "fast/image/kinds.h"
#include "fast/patch/halt.h"
#include "fast/patch/relocate.h"
#include "fast/patch/returns.h"
#include "fast/patch/stance.h"
#include "machine/memory.h"
#include "process/breakpoint.h"
#include "process/tracee.h"

#define INT3 0xcc
#define PATIENCE_NS (2 * 1000 * 1000LL)
#define PAUSE_NS 20000

/* What a pass over the threads asks of each of them. */
struct pass {
	struct pt_tracer *t;
	struct image *image;
	pid_t tid;     /* of the process */
	pid_t handled; /* one whose stop is being handled, or 0 */
	bool hidden;   /* a frame that must stay as it is returns into the middle of a site */
	bool later;    /* some sites are left for another time */
	bool plain;    /* no way leads into the middle of a site, but a call that stops */
	bool ok;
};

static uint64_t pointer_of(unsigned int site)
{
	return FAST_POINTERS + site * sizeof(uint64_t);
}

/* Only its call stands in front of the bytes that follow, and that is one that always stops. */
static bool is_plain(const struct fast_site *site)
{
	return site->before == 0 && site->stub->number >= 0 && kinds_counted((uint64_t)site->stub->number);
}

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
		elsewhere = pass->plain;
		break;
	default:
		break;
	}
	pass->ok &= elsewhere;
	if (tracee)
		tracee->fast.elsewhere = elsewhere;
}

static bool all_elsewhere(struct pass *pass)
{
	pass->ok = true;
	halt_each(pass->image->group, is_elsewhere, pass);
	return pass->ok;
}

/* Who runs will come to a stop or sleep, or does nothing but compute; the others stand meanwhile. */
static bool wait_until_elsewhere(struct pass *pass)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	const int64_t end = now_ns() + PATIENCE_NS;
	struct tracee *tracee;

	for_each_tracee (pass->t, tracee)
		tracee->fast.elsewhere &= tracee->group != pass->image->group;
	while (!all_elsewhere(pass)) {
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

	/* Who stands is perhaps let go on by something else than a stop that is handled (hold.c). */
	if (tid == pass->handled || halt_stands(pass->t, tid))
		relocate_one_in(pass->t, pass->image, tid);
	else if (tracee)
		tracee->fast.relocate = true;
}

static void write_first(const struct pass *pass, const uint8_t *byte)
{
	for (unsigned int i = 0; i < pass->image->site_count; i++) {
		const struct fast_site *site = &pass->image->sites[i];

		if (site->changes)
			memory_write_code(pass->tid, site->begin, byte ? byte : site->original, 1);
	}
}

/* Which sites are to get their jumps: those that have none, and whose own bytes stand there. */
static bool choose(struct pass *pass)
{
	bool any = false;

	for (unsigned int i = 0; i < pass->image->site_count; i++) {
		struct fast_site *site = &pass->image->sites[i];

		site->changes = !site->jumps && emit_code_has_original(pass->tid, site);
		if (site->changes && returns_hide(pass->image->group, site->begin, site->begin + site_size(site))) {
			pass->hidden = true;
			site->changes = false;
		}
		pass->plain &= !site->changes || is_plain(site);
		any |= site->changes;
	}
	return any;
}

/* A thread that runs on unseen is in the way of some sites, but not of the plain ones. Are there any? */
static bool keep_plain(struct pass *pass)
{
	bool any = false;

	for (unsigned int i = 0; i < pass->image->site_count; i++) {
		struct fast_site *site = &pass->image->sites[i];

		if (!site->changes)
			continue;
		any |= is_plain(site);
		if (is_plain(site))
			continue;
		memory_write_code(pass->tid, site->begin, site->original, 1);
		site->changes = false;
		pass->later = true;
	}
	pass->plain = true;
	return any;
}

/* May the bytes behind the traps be written now? At least those of some sites? */
static bool none_is_within(struct pass *pass)
{
	return wait_until_elsewhere(pass) ||
	       (!pass->plain && !pass->image->group->fast.returns.taken && keep_plain(pass) && all_elsewhere(pass));
}

static int write_jumps(const struct pass *pass)
{
	int written = 0;

	for (unsigned int i = 0; i < pass->image->site_count; i++)
		if (pass->image->sites[i].changes)
			emit_code_jump_tail(pass->tid, &pass->image->sites[i], pointer_of(i));
	for (unsigned int i = 0; i < pass->image->site_count; i++) {
		struct fast_site *site = &pass->image->sites[i];

		if (site->changes)
			site->jumps = emit_code_jump(pass->tid, site, pointer_of(i)) == 0;
		written += site->changes && site->jumps;
	}
	return written;
}

static bool none_would_suffer(struct pass *pass)
{
	pass->ok = true;
	halt_each(pass->image->group, may_trap, pass);
	return pass->ok;
}

/* Frames end; but where they were too many to be remembered nobody will know. */
static int result_of(const struct pass *pass, int written)
{
	if (pass->hidden && pass->image->group->fast.returns.lost)
		return -ENOBUFS;
	return pass->hidden || pass->later ? -EAGAIN : written;
}

/* Is a thread just on its way into a handler? Then its frame is not known yet (returns.c). */
static bool is_being_signalled(struct pt_tracer *t, const struct group *group)
{
	struct tracee *tracee;

	for_each_tracee (t, tracee)
		if (tracee->group == group && tracee->step.on)
			return true;
	return false;
}

int live_jumps(struct pt_tracer *t, struct image *image, const struct tracee *tracee)
{
	static const uint8_t trap = INT3;
	struct pass pass = {.t = t, .image = image, .tid = tracee->tid, .handled = tracee->tid, .plain = true};
	int written;

	if (!choose(&pass))
		return result_of(&pass, 0);
	if (!none_would_suffer(&pass) || is_being_signalled(t, image->group))
		return -EAGAIN;
	image->group->fast.returns.taken |= relocate_known(image, tracee->tid) > 0;
	pass.plain &= !image->group->fast.returns.taken;
	t->traps = true;
	write_first(&pass, &trap);
	if (!none_is_within(&pass)) {
		write_first(&pass, NULL);
		return -EAGAIN;
	}
	image->group->fast.returns.taken = false;
	written = write_jumps(&pass);
	halt_each(image->group, relocate, &pass);
	return result_of(&pass, written);
}

int live_originals(struct pt_tracer *t, struct image *image, pid_t tid, pid_t handled)
{
	static const uint8_t trap = INT3;
	struct pass pass = {.t = t, .image = image, .tid = tid, .handled = handled};

	if (!none_would_suffer(&pass))
		return -EAGAIN;
	/* Nobody can be in the middle: a jump is one instruction. */
	for (unsigned int i = 0; i < image->site_count; i++) {
		struct fast_site *site = &image->sites[i];

		site->changes = site->jumps && emit_code_has_jump(tid, site, pointer_of(i));
		site->jumps = false;
	}
	t->traps = true;
	write_first(&pass, &trap);
	for (unsigned int i = 0; i < image->site_count; i++)
		if (image->sites[i].changes)
			emit_code_original_tail(tid, &image->sites[i]);
	write_first(&pass, NULL);
	return 0;
}

/* Do bytes stand there that are partly the one, partly the other? */
static bool is_half_done(pid_t tid, const struct fast_site *site, uint64_t pointer)
{
	uint8_t now[sizeof(site->original)], jump[sizeof(site->original)];

	if (memory_read(tid, site->begin, now, site_size(site)) < 0)
		return false;
	emit_code_make_jump(site, pointer, jump);
	for (unsigned int i = 0; i < site_size(site); i++)
		if (now[i] != site->original[i] && now[i] != jump[i] && !(i == 0 && now[i] == INT3))
			return false;
	return true;
}

void live_mend(const struct image *image, pid_t child)
{
	for (unsigned int i = 0; i < image->site_count; i++) {
		const struct fast_site *site = &image->sites[i];

		if (!is_half_done(child, site, pointer_of(i)))
			continue;
		memory_write_code(child, site->begin, site->original, site_size(site));
		if (site->jumps)
			emit_code_jump(child, site, pointer_of(i));
	}
}
