/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fast/patch/choose.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fast/image/code.h"
#include "fast/image/emit_code.h"
#include "fast/image/handover.h"
#include "fast/image/layout.h"
#include "fast/patch/verdict.h"
#include "machine/pieces.h"
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
static int add_site(struct image *image, const struct mapping *mapping, const struct site *site,
		    const struct piece *now, enum pt_verdict *verdict)
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
	if (!now->read || memcmp(now->to, site->bytes, site_size(&one)) != 0) {
		*verdict = PT_SITE_CHANGED;
		return 0;
	}
	memcpy(one.original, now->to, site_size(&one));
	more = realloc(image->sites, (image->site_count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	image->sites = more;
	more[image->site_count++] = one;
	image->stubs_end += (one.stub->size + 15) & ~15u;
	return 0;
}

/* The bytes of all sites of a code that may be replaced, as they are now, with room for them behind; to be freed. */
static struct piece *read_sites(pid_t tid, const struct mapping *mapping, const struct code *code)
{
	struct piece *pieces = calloc(code->count + 1, sizeof(*pieces) + SITE_BYTES);
	uint8_t *room = (uint8_t *)(pieces + code->count);

	for (unsigned int i = 0; pieces && i < code->count; i++) {
		const struct site *site = &code->sites[i];
		const bool fits = site->patchable && site->before + 2u + site->after <= SITE_BYTES;

		pieces[i] = (struct piece){
			.address = mapping->begin + site->offset - (fits ? site->before : 0),
			.to = room + (size_t)i * SITE_BYTES,
			.length = fits ? site->before + 2u + site->after : 1,
		};
	}
	if (pieces)
		pieces_read(tid, pieces, code->count);
	return pieces;
}

static int choose(struct pt_tracer *t, struct image *image, const struct tracee *tracee, const struct mapping *mapping,
		  const struct code *code, enum patch_choice choice, uint64_t stopped_at)
{
	struct piece *now = read_sites(tracee->tid, mapping, code);
	int error = now ? 0 : -ENOMEM;

	for (unsigned int i = 0; i < code->count && !error; i++) {
		const struct site *site = &code->sites[i];
		const uint64_t call = mapping->begin + site->offset;
		enum pt_verdict verdict = verdict_of(t, site, choice, call == stopped_at);

		if (t->filtered ? image_knows_site(image, call) : image_has_site(image, call))
			continue;
		if (verdict == PT_SITE_CHOSEN)
			error = add_site(image, mapping, site, &now[i], &verdict);
		verdict_note(t, tracee, site, call, verdict);
	}
	free(now);
	return error;
}

int choose_stubs(struct pt_tracer *t, struct image *image, struct tracee *tracee, const struct mapping *mapping,
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
