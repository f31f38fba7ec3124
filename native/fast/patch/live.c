/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A jump of 7 bytes can't be written in one go, and a thread may stand in the middle of what it replaces. So:
 *
 *   1. The first byte of each site becomes int3 (one byte is written whole). From now on nobody gets into these bytes
 *      any more but by a trap, whose thread stops before the tracer (meet_trapped) and tries once more when all is
 *      done.
 *   2. All threads are looked at. One that stands can be moved on. One in a call whose syscall-exit-stop is still to
 *      come is moved on there. One that sleeps in the kernel returns elsewhere, or the patch waits. One that runs is
 *      elsewhere, too, if only a call leads into these bytes, for that would have stopped (plain), and if that was not
 *      its last stop; or the patch waits.
 *      Each has to be seen elsewhere but once: nobody gets in any more.
 *   3. The other bytes are written, and then the first.
 *
 * A thread that does not stand at 2. may since have made one of these calls, before its int3 was there. Then it is in a
 * seccomp-stop, which comes to its turn: so each such thread is looked at once more at its next stop (relocate).
 *
 * Where a thread that does not stand may not trap (breakpoint_may_trap) the patch waits.
 */
#include "fast/patch/live.h"

#include <errno.h>

#include "fast/image/emit_code.h"
#include "fast/image/kinds.h"
#include "fast/patch/pass.h"
#include "fast/patch/relocate.h"
#include "fast/patch/returns.h"
#include "machine/memory.h"
#include "process/tracee.h"

#define INT3 0xcc

static uint64_t pointer_of(unsigned int site)
{
	return FAST_POINTERS + site * sizeof(uint64_t);
}

/* Only its call stands in front of the bytes that follow, and that is one that always stops. */
static bool is_plain(const struct pt_tracer *t, const struct fast_site *site)
{
	return site->before == 0 && site->stub->number >= 0 && kinds_always_stop(t, (uint64_t)site->stub->number);
}

static void write_first(const struct pass *pass, const uint8_t *byte)
{
	const struct memory_code code = memory_code_begin(pass->tid);

	for (unsigned int i = 0; i < pass->image->site_count; i++) {
		const struct fast_site *site = &pass->image->sites[i];

		if (site->changes)
			memory_code_write(&code, site->begin, byte ? byte : site->original, 1);
	}
	memory_code_end(&code);
}

/* Which sites are to get their jumps: those that have none, and whose own bytes stand there. */
static bool choose(struct pass *pass)
{
	bool any = false;

	emit_code_look(pass->image, pass->tid, 0);
	for (unsigned int i = 0; i < pass->image->site_count; i++) {
		struct fast_site *site = &pass->image->sites[i];

		site->changes = !site->jumps && emit_code_has_original(site);
		if (site->changes && returns_hide(pass->image->group, site->begin, site->begin + site_size(site))) {
			pass->hidden = true;
			site->changes = false;
		}
		pass->plain &= !site->changes || is_plain(pass->t, site);
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
		any |= is_plain(pass->t, site);
		if (is_plain(pass->t, site))
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
	return pass_wait_until_elsewhere(pass) || (!pass->plain && !pass->image->group->fast.returns.taken &&
						   keep_plain(pass) && pass_all_elsewhere(pass));
}

static int write_jumps(const struct pass *pass)
{
	const struct memory_code code = memory_code_begin(pass->tid);
	int written = 0;

	for (unsigned int i = 0; i < pass->image->site_count; i++)
		if (pass->image->sites[i].changes)
			emit_code_jump_tail(&code, &pass->image->sites[i], pointer_of(i));
	for (unsigned int i = 0; i < pass->image->site_count; i++) {
		struct fast_site *site = &pass->image->sites[i];

		if (site->changes)
			site->jumps = emit_code_jump(&code, site, pointer_of(i)) == 0;
		written += site->changes && site->jumps;
	}
	memory_code_end(&code);
	return written;
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
	if (!pass_may_all_trap(&pass) || is_being_signalled(t, image->group))
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
	pass_relocate(&pass);
	return result_of(&pass, written);
}

int live_originals(struct pt_tracer *t, struct image *image, pid_t tid, pid_t handled)
{
	static const uint8_t trap = INT3;
	struct pass pass = {.t = t, .image = image, .tid = tid, .handled = handled};
	struct memory_code code;

	if (!pass_may_all_trap(&pass))
		return -EAGAIN;
	emit_code_look(image, tid, 0);
	/* Nobody can be in the middle: a jump is one instruction. */
	for (unsigned int i = 0; i < image->site_count; i++) {
		struct fast_site *site = &image->sites[i];

		site->changes = site->jumps && emit_code_has_jump(site, pointer_of(i));
		site->jumps = false;
	}
	t->traps = true;
	write_first(&pass, &trap);
	code = memory_code_begin(tid);
	for (unsigned int i = 0; i < image->site_count; i++)
		if (image->sites[i].changes)
			emit_code_original_tail(&code, &image->sites[i]);
	memory_code_end(&code);
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
	const struct memory_code code = memory_code_begin(child);

	for (unsigned int i = 0; i < image->site_count; i++) {
		const struct fast_site *site = &image->sites[i];

		if (!is_half_done(child, site, pointer_of(i)))
			continue;
		emit_code_original(&code, site);
		if (site->jumps)
			emit_code_jump(&code, site, pointer_of(i));
	}
	memory_code_end(&code);
}
