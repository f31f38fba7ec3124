/* SPDX-License-Identifier: GPL-2.0-only
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
#include <stdlib.h>
#include <string.h>

#include "fast/count/threads.h"
#include "fast/image/emit_code.h"
#include "fast/image/handover.h"
#include "fast/image/kinds.h"
#include "fast/image/layout.h"
#include "fast/image/twin.h"
#include "fast/patch/halt.h"
#include "fast/patch/live.h"
#include "fast/patch/relocate.h"
#include "fast/patch/returns.h"
#include "fast/patch/verdict.h"
#include "machine/memory.h"
#include "machine/proc.h"
#include "machine/proc_program.h"
#include "machine/registers.h"
#include "records/debug.h"

static const struct stub *stub_for(const struct site *site)
{
	int32_t number = site->number_known ? (int32_t)site->number : STUB_ANY;
	const struct stub *stub = stub_table;

	while (stub + 1 < stub_table_end && stub->number != number)
		stub++;
	return stub; /* the last one, STUB_NONE, if there is none of its own */
}

/* Adds a site to the image. Its bytes are looked at anew: the file may have changed since its code was looked at. */
static int add_site(struct image *image, pid_t tid, const struct mapping *mapping, const struct site *site,
		    enum pt_verdict *verdict)
{
	struct fast_site *more, one = {
					.call = mapping->begin + site->offset,
					.begin = mapping->begin + site->offset - site->before,
					.before = site->before,
					.after = site->after,
					.jump = site->jump,
					.repeatable = site->repeatable,
					.stub = stub_for(site),
					.stub_at = image->stubs_end,
				};

	if (image->site_count == FAST_SITES || image->stubs_end + one.stub->size > FAST_STUBS_END) {
		*verdict = PT_SITE_FULL;
		return -ENOSPC;
	}
	if (memory_read(tid, one.begin, one.original, site_size(&one)) < 0 ||
	    memcmp(one.original, site->bytes, site_size(&one)) != 0) {
		*verdict = PT_SITE_CHANGED;
		return 0;
	}
	more = realloc(image->sites, (image->site_count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	image->sites = more;
	more[image->site_count++] = one;
	image->stubs_end += (one.stub->size + 15) & ~15u;
	return 0;
}

static int choose(struct pt_tracer *t, struct image *image, const struct tracee *tracee, const struct mapping *mapping,
		  const struct code *code, enum patch_choice choice, uint64_t stopped_at)
{
	int error = 0;

	for (unsigned int i = 0; i < code->count && !error; i++) {
		const struct site *site = &code->sites[i];
		const uint64_t call = mapping->begin + site->offset;
		enum pt_verdict verdict = verdict_of(t, site, choice, call == stopped_at);

		if (t->filtered ? image_knows_site(image, call) : image_has_site(image, call))
			continue;
		if (verdict == PT_SITE_CHOSEN)
			error = add_site(image, tracee->tid, mapping, site, &verdict);
		verdict_note(t, tracee, site, call, verdict);
	}
	return error;
}

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
	image->occupied = false;
	for (unsigned int i = 0; i < image->site_count; i++) {
		struct fast_site *site = &image->sites[i];

		site->changes = i >= first && !site->jumps && emit_code_has_original(tid, site) &&
				!returns_hide(image->group, site->begin, site->begin + site_size(site));
		site->jumps |= site->changes;
	}
	halt_each(image->group, spare, image);
}

int patch_jumps(struct pt_tracer *t, struct image *image, pid_t tid, unsigned int first)
{
	int written = 0, error;

	choose_free(image, tid, first);
	/* In this order: if the tracer is killed in between, threads that were moved are all right in the stubs, and
	 * none stands in the middle of a jump. */
	error = relocate_in(t, image, first);
	if (!error)
		relocate_known(image, tid); /* those that no stack pointer leads to */
	for (unsigned int i = first; i < image->site_count; i++) {
		struct fast_site *site = &image->sites[i];

		if (!site->changes)
			continue;
		site->changes = false;
		site->jumps = !error && emit_code_has_original(tid, site) &&
			      emit_code_jump(tid, site, FAST_POINTERS + i * sizeof(uint64_t)) == 0;
		written += site->jumps;
	}
	return error ? error : written;
}

/* Stubs for the sites of a mapping that have none yet. 0 or -errno. */
static int add_stubs(struct pt_tracer *t, struct image *image, struct tracee *tracee, const struct mapping *mapping,
		     enum patch_choice choice, uint64_t stopped_at)
{
	const struct code *code = code_look(t, tracee->tid, tracee->group->fast.image, mapping);
	const unsigned int first = image->site_count;
	int result;

	if (!code)
		return -ENOMEM;
	debug(t, PT_DEBUG_CODE, tracee->tid,
	      (struct pt_debug_entry){
		      .address = mapping->begin, .length = mapping->end - mapping->begin, .count = code->count});
	result = choose(t, image, tracee, mapping, code, choice, stopped_at);
	if (result || image->site_count == first)
		return result;
	result = emit_code_stubs(image, tracee->tid, first);
	/* Before there are any jumps: a later tracer can do nothing with those that it does not know. */
	if (!result && image->by_request)
		result = handover_write(image, tracee->tid, first);
	if (result)
		image_drop_sites(image, first);
	return result;
}

static int patch(struct pt_tracer *t, struct image *image, struct tracee *tracee, const struct mapping *mapping,
		 enum patch_choice choice, uint64_t stopped_at)
{
	const unsigned int first = image->site_count;
	int result = add_stubs(t, image, tracee, mapping, choice, stopped_at);

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

void patch_withdraw(struct pt_tracer *t, struct image *image, pid_t tid)
{
	image_set_flags(image, image->flags | FAST_ALL_STOP);
	/* The other way round than patch_jumps(), for the same reason: the stubs are good as long as somebody is
	 * inside. */
	for (unsigned int i = 0; i < image->site_count; i++) {
		emit_code_original(tid, &image->sites[i], FAST_POINTERS + i * sizeof(uint64_t));
		image->sites[i].jumps = false;
	}
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
