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
#include "fast/patch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fast/asking.h"
#include "fast/fast.h"
#include "fast/frames.h"
#include "fast/halt.h"
#include "fast/layout.h"
#include "fast/twin.h"
#include "fast/writing.h"
#include "memory.h"
#include "registers.h"
#include "restart.h"
#include "tracee.h"

/* Sites that are about to be patched, and where those stand that patch.c has to look at. */
struct round {
	const struct image *image;
	unsigned int first; /* of image->sites */
};

bool patch_wants(const struct pt_tracer *t, const struct site *site, enum patch_choice choice, bool stopped)
{
	if (site->foreign || !site->patchable)
		return false;
	if (!site->number_known)
		return choice == PATCH_ALL || stopped;
	return fast_counts(site->number) || (choice == PATCH_ALL && twin_watches(t, site->number));
}

static const struct stub *stub_for(const struct site *site)
{
	int32_t number = site->number_known ? (int32_t)site->number : STUB_ANY;
	const struct stub *stub = stub_table;

	while (stub + 1 < stub_table_end && stub->number != number)
		stub++;
	return stub; /* the last one, STUB_NONE, if there is none of its own */
}

/* Adds a site to the image. Its bytes are looked at anew: the file may have changed since its code was looked at. */
static int add_site(struct image *image, pid_t tid, const struct mapping *mapping, const struct site *site)
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

	if (image->site_count == FAST_SITES || image->stubs_end + one.stub->size > FAST_STUBS_END)
		return -ENOSPC;
	if (memory_read(tid, one.begin, one.original, site_size(&one)) < 0 ||
	    memcmp(one.original, site->bytes, site_size(&one)) != 0)
		return 0;
	more = realloc(image->sites, (image->site_count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	image->sites = more;
	more[image->site_count++] = one;
	image->stubs_end += (one.stub->size + 15) & ~15u;
	return 0;
}

static int choose(const struct pt_tracer *t, struct image *image, pid_t tid, const struct mapping *mapping,
		  const struct code *code, enum patch_choice choice, uint64_t stopped_at)
{
	int error = 0;

	for (unsigned int i = 0; i < code->count && !error; i++) {
		uint64_t call = mapping->begin + code->sites[i].offset;

		if (patch_wants(t, &code->sites[i], choice, call == stopped_at) && !image_has_site(image, call))
			error = add_site(image, tid, mapping, &code->sites[i]);
	}
	return error;
}

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
	const struct image *image = context;
	bool again = result < 0 && result > -4096 && restart_pending((int)-result);
	uint32_t offset;
	const struct fast_site *site = image_stub_of(image, address, &offset);

	if (!site) {
		site = image_twin_of(image, address, &offset);
		if (!site || offset > TWIN_DONE)
			return 0;
		return offset == TWIN_DONE ? site->call + 2 : site->call;
	}
	if (offset < site->before)
		return site->begin + offset;
	if (offset >= site->stub->tail)
		return 0;
	if (offset == site->stub->plain_done)
		return site->call + 2;
	for (const struct stub_body *body = site->stub->bodies; body < site->stub->bodies_end; body++) {
		if (offset == body->done && again)
			return site->call + 2;
		if (offset >= body->done && offset <= body->released)
			return 0;
	}
	return site->call;
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
	bool unfinished = result < 0 && result > -4096 && (restart_pending((int)-result) || result == -ENOSYS);

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

	if (registers_read(tid, &regs) < 0 || registers_compat(&regs))
		return;
	moving->calls = 0;
	other = move_and_look(moving, registers_instruction(&regs), registers_result(&regs));
	if (other) {
		registers_set_instruction(&regs, other);
		registers_write(tid, &regs);
	}
	frames_move(tid, registers_stack(&regs), move_and_look, moving);
	if (tracee && tracee->group->image && tracee->group->image->asks)
		tracee->asked += moving->calls;
}

void patch_move_threads(struct pt_tracer *t, const struct group *group, move_function move, const void *context)
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

void patch_count_asked(struct pt_tracer *t, struct group *group)
{
	tracee_each(t, forget_asked, group);
	patch_move_threads(t, group, stay, NULL);
}

void patch_move_in(struct pt_tracer *t, const struct image *image, unsigned int first)
{
	const struct round round = {.image = image, .first = first};

	patch_move_threads(t, image->group, into_stubs, &round);
}

/* Those that are found as they were get their jump. */
int patch_write_jumps(struct image *image, pid_t tid, unsigned int first)
{
	int written = 0;

	for (unsigned int i = first; i < image->site_count; i++) {
		struct fast_site *site = &image->sites[i];
		uint8_t now[sizeof(site->original)];

		if (memory_read(tid, site->begin, now, site_size(site)) < 0 ||
		    memcmp(now, site->original, site_size(site)) != 0)
			continue;
		site->jumps = writing_jump(tid, site, FAST_POINTERS + i * sizeof(uint64_t)) == 0;
		written += site->jumps;
	}
	return written;
}

int patch_mapping(struct pt_tracer *t, struct image *image, struct tracee *tracee, const struct mapping *mapping,
		  enum patch_choice choice, uint64_t stopped_at)
{
	const struct code *code = code_look(t, tracee->tid, tracee->group->image, mapping);
	struct round round = {.image = image, .first = image->site_count};
	int result;

	if (!code)
		return -ENOMEM;
	result = choose(t, image, tracee->tid, mapping, code, choice, stopped_at);
	if (!result && image->site_count > round.first)
		result = writing_stubs(image, tracee->tid, round.first);
	if (!result && image->site_count > round.first && !halt_process(t, tracee->group, tracee))
		result = -EAGAIN;
	if (!result && image->site_count > round.first && !image_add_threads(t, image))
		result = -EMLINK;
	if (result || image->site_count == round.first) {
		image_drop_sites(image, round.first);
		return result;
	}
	result = patch_write_jumps(image, tracee->tid, round.first);
	patch_move_in(t, image, round.first);
	return result;
}

void patch_withdraw(struct pt_tracer *t, struct image *image, pid_t tid)
{
	image_set_flags(image, image->flags | FAST_ALL_STOP);
	for (unsigned int i = 0; i < image->site_count; i++) {
		writing_original(tid, &image->sites[i], FAST_POINTERS + i * sizeof(uint64_t));
		image->sites[i].jumps = false;
	}
	patch_move_threads(t, image->group, out_of_stubs, image);
	image->withdrawn = true;
}
