/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * First the stubs are written, which nothing uses yet. Then all threads of the process are stopped, and while they
 * stand: the jumps are written, and whoever stands or will return into the middle of what was replaced is moved on.
 *
 *   the replaced bytes of a site      mov [rsp+8], r11    syscall              (or: syscall    cmp rax, -4095)
 *   a thread before the first byte    runs into the jump: nothing to do
 *   one before the syscall            goes on in the stub, whose first instructions are the same
 *   one behind it                     is in that call (rip says so while it is in the kernel), or has made it: it goes
 *                                     on behind the same instruction in the twin. If the kernel restarts the call it
 *                                     sets rip back by 2, which there is a syscall instruction, too. One that is
 *                                     further behind goes on in the twin as well, which has the same instructions
 */
#include "fast/patch/patch.h"

#include <errno.h>

#include "fast/count/threads.h"
#include "fast/image/emit_code.h"
#include "fast/image/layout.h"
#include "fast/patch/choose.h"
#include "fast/patch/halt.h"
#include "fast/patch/live.h"
#include "fast/patch/relocate.h"
#include "fast/patch/returns.h"
#include "fast/patch/verdict.h"
#include "machine/memory.h"
#include "machine/proc.h"
#include "machine/proc_program.h"
#include "machine/registers.h"

/* A thread that does not stand (halt.h) sleeps in a call, or may be anywhere. If the tracer is killed, nobody moves
 * that thread when its call returns: so the site that it returns to is left alone. */
static bool returns_to(const struct proc_place *place, const struct fast_site *site)
{
	return place->instruction > site->begin &&
	       (place->instruction <= site->call + 2 || place->instruction < site->begin + site_size(site));
}

static void spare(pid_t tid, void *context)
{
	struct image *image = context;
	struct registers regs;
	struct proc_place place;
	bool sleeps;

	if (registers_read(tid, &regs) == 0 || !proc_lives(tid))
		return;
	sleeps = proc_place(tid, &place) == 1;
	for (unsigned int i = 0; i < image->site_count; i++) {
		struct fast_site *site = &image->sites[i];

		if (!site->changes || (sleeps && !returns_to(&place, site)))
			continue;
		site->jumps = site->changes = false;
		image->occupied = true;
	}
}

/* Which sites are to get their jumps: those whose own bytes stand there, and nobody returns to. */
static void choose_free(struct image *image, pid_t tid, unsigned int first)
{
	emit_code_look(image, tid, first);
	image->occupied = false;
	for (unsigned int i = 0; i < image->site_count; i++) {
		struct fast_site *site = &image->sites[i];

		site->changes = i >= first && !site->jumps && emit_code_has_original(site) &&
				!returns_hide(image->group, site->begin, site->begin + site_size(site));
		site->jumps |= site->changes;
	}
	halt_each(image->group, spare, image);
}

/* Where the program's own bytes stand still. Returns how many. */
static int write_jumps(struct image *image, pid_t tid, unsigned int first, bool may)
{
	const struct memory_code code = memory_code_begin(tid);
	int written = 0;

	emit_code_look(image, tid, first);
	for (unsigned int i = first; i < image->site_count; i++) {
		struct fast_site *site = &image->sites[i];

		if (!site->changes)
			continue;
		site->changes = false;
		site->jumps = may && emit_code_has_original(site) &&
			      emit_code_jump(&code, site, FAST_POINTERS + i * sizeof(uint64_t)) == 0;
		written += site->jumps;
	}
	memory_code_end(&code);
	return written;
}

int patch_jumps(struct pt_tracer *t, struct image *image, pid_t tid, unsigned int first)
{
	int written, error;

	choose_free(image, tid, first);
	/* In this order: if the tracer is killed in between, threads that were moved are all right in the stubs, and
	 * none stands in the middle of a jump. */
	error = relocate_in(t, image, first);
	if (!error)
		relocate_known(image, tid); /* those that no stack pointer leads to */
	written = write_jumps(image, tid, first, !error);
	return error ? error : written;
}

static int patch(struct pt_tracer *t, struct image *image, struct tracee *tracee, const struct mapping *mapping,
		 enum patch_choice choice, uint64_t stopped_at)
{
	const unsigned int first = image->site_count;
	int result = choose_stubs(t, image, tracee, mapping, choice, stopped_at);

	if (result)
		return result;
	if (t->filtered)
		return threads_add_all(t, image) ? live_jumps(t, image, tracee) : -EMLINK;
	if (image->site_count == first)
		return 0;
	if (!halt_process(t, tracee->group, tracee))
		result = -EAGAIN;
	else if (!threads_add_all(t, image))
		result = -EMLINK;
	if (result) {
		image_drop_sites(image, first);
		return result;
	}
	result = patch_jumps(t, image, tracee->tid, first);
	if (result < 0)
		image_drop_sites(image, first);
	return result;
}

int patch_mapping(struct pt_tracer *t, struct image *image, struct tracee *tracee, const struct mapping *mapping,
		  enum patch_choice choice, uint64_t stopped_at)
{
	const int result = patch(t, image, tracee, mapping, choice, stopped_at);

	verdict_note_jumps(t, image, result < 0 ? result : 0);
	return result;
}

/* Where the jumps stand still. */
static void write_originals(struct image *image, pid_t tid)
{
	const struct memory_code code = memory_code_begin(tid);

	emit_code_look(image, tid, 0);
	for (unsigned int i = 0; i < image->site_count; i++) {
		struct fast_site *site = &image->sites[i];

		if (emit_code_has_jump(site, FAST_POINTERS + i * sizeof(uint64_t)))
			emit_code_original(&code, site);
		site->jumps = false;
	}
	memory_code_end(&code);
}

void patch_withdraw(struct pt_tracer *t, struct image *image, pid_t tid)
{
	image_set_flags(image, image->flags | FAST_ALL_STOP);
	/* The other way round than patch_jumps(), for the same reason: the stubs are good as long as somebody is
	 * inside. */
	write_originals(image, tid);
	relocate_out(t, image);
	image_reaches(image, IMAGE_WITHDRAWN);
	verdict_note_withdrawal(t, image);
}

struct leaving {
	struct pt_tracer *t;
	struct image *image;
	pid_t caller;
};

static void leave(pid_t tid, void *context)
{
	const struct leaving *leaving = context;

	if (tid == leaving->caller || halt_stands(leaving->t, tid))
		relocate_one_out(leaving->t, leaving->image, tid);
}

void patch_withdraw_live(struct pt_tracer *t, struct image *image, pid_t tid, pid_t handled)
{
	struct leaving leaving = {.t = t, .image = image, .caller = handled};

	image_set_flags(image, image->flags | FAST_ALL_STOP);
	/* Where they can't be written now the jumps stay, and lead to calls that stop. */
	if (live_originals(t, image, tid, handled) == 0) {
		halt_each(image->group, leave, &leaving);
		image_reaches(image, IMAGE_WITHDRAWN);
	}
	verdict_note_withdrawal(t, image);
}
