/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fast/patch/cover.h"

#include <errno.h>
#include <string.h>

#include "fast/image/emit_code.h"
#include "fast/image/kinds.h"
#include "fast/image/layout.h"
#include "fast/image/twin.h"
#include "fast/patch/connector.h"
#include "fast/patch/halt.h"
#include "fast/patch/inflight.h"
#include "fast/patch/patch.h"
#include "fast/patch/position.h"
#include "fast/patch/relocate.h"
#include "fast/patch/verdict.h"
#include "machine/memory.h"

/* Also of a call that no stub counts: where no filter shows it the tracer has to see it. */
static enum pt_verdict refusal(const struct pt_tracer *t, const struct site *site)
{
	struct site any = *site;

	any.number_known = false;
	return verdict_of(t, &any, PATCH_ALL, false);
}

/* Has this call to be seen, if it is made? What is opened may go unnoted. */
static bool matters(const struct pt_tracer *t, const struct site *site)
{
	return !site->number_known || kinds_counted(site->number) || kinds_watched(t, site->number);
}

int cover_check(struct pt_tracer *t, const struct tracee *tracee, const struct mapping *mapping)
{
	const struct code *code = code_look(t, tracee->tid, tracee->group->fast.image, mapping);

	if (!code)
		return -ENOMEM;
	for (unsigned int i = 0; i < code->count; i++) {
		const struct site *site = &code->sites[i];

		/* A 32-bit call (int 0x80) may be any, and no stub makes those. */
		if ((matters(t, site) || site->foreign) && (site->foreign || !site->patchable) && !site->data) {
			verdict_note(t, tracee, site, mapping->begin + site->offset, refusal(t, site));
			return -ENOEXEC;
		}
	}
	return 0;
}

bool cover_is_complete(struct pt_tracer *t, const struct image *image, const struct tracee *tracee,
		       const struct mapping *mapping)
{
	const struct code *code = code_look(t, tracee->tid, tracee->group->fast.image, mapping);

	for (unsigned int i = 0; code && i < code->count; i++)
		if (verdict_wants(t, &code->sites[i], PATCH_ALL, false) && matters(t, &code->sites[i]) &&
		    !image_has_site(image, mapping->begin + code->sites[i].offset))
			return false;
	return code != NULL;
}

void cover_look(struct image *image, pid_t tid)
{
	emit_code_look(image, tid, 0);
	for (unsigned int i = 0; i < image->site_count; i++)
		image->sites[i].jumps = emit_code_has_jump(&image->sites[i], FAST_POINTERS + i * sizeof(uint64_t));
}

void cover_again(struct pt_tracer *t, struct image *image, const struct tracee *tracee)
{
	cover_look(image, tracee->tid);
	patch_jumps(t, image, tracee->tid, 0);
}

static uint64_t into_twin(const void *context, uint64_t address, int64_t result)
{
	struct position place;

	(void)result;
	if (!position_find(context, address, &place) || !place.in_stub)
		return 0;
	if (place.stage == STAGE_BEFORE)
		return image_twin(context, place.site) + TWIN_CALL;
	return place.stage == STAGE_CALL ? image_twin(context, place.site) + TWIN_DONE : 0;
}

static void finish(pid_t tid, void *context)
{
	const struct image *image = context;
	struct registers regs;

	if (registers_read(tid, &regs) < 0)
		return;
	connector_dies(image, &regs); /* nobody else tells what becomes of that */
	if (inflight_finish(image, &regs))
		registers_write(tid, &regs);
}

void cover_leave_stub(struct pt_tracer *t, struct image *image, pid_t tid)
{
	finish(tid, image);
	relocate_one(t, image, tid, into_twin);
}

void cover_leave_stubs(struct pt_tracer *t, struct image *image, const struct tracee *tracee)
{
	/* The stops have counted these calls. */
	halt_each(tracee->group, finish, image);
	relocate_threads(t, tracee->group, into_twin, image);
}
