/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Who asks is told by explain.c, and who looks for a fault by records/debug.c.
 */
#include "fast/patch/verdict.h"

#include "fast/count/explain.h"
#include "fast/image/kinds.h"
#include "records/debug.h"

bool verdict_wants(const struct pt_tracer *t, const struct site *site, enum patch_choice choice, bool stopped)
{
	if (site->foreign || !site->patchable)
		return false;
	if (!site->number_known)
		return choice == PATCH_ALL || stopped;
	return kinds_counted(site->number) || kinds_opens(site->number) ||
	       (t->options.aggregate && (kinds_bear(site->number) || kinds_pass(site->number))) ||
	       (choice == PATCH_ALL && kinds_watched(t, site->number));
}

enum pt_verdict verdict_of(const struct pt_tracer *t, const struct site *site, enum patch_choice choice, bool stopped)
{
	static const uint8_t troubles[] = {
		[SITE_NO_CODE] = PT_SITE_DATA,
		[SITE_IS_ENTERED] = PT_SITE_ENTERED,
		[SITE_KEEPS_FLAGS] = PT_SITE_FLAGS,
		[SITE_IS_SHORT] = PT_SITE_SHORT,
	};

	if (verdict_wants(t, site, choice, stopped))
		return PT_SITE_CHOSEN;
	if (site->foreign)
		return site->data ? PT_SITE_DATA : PT_SITE_FOREIGN;
	if (site->number_known && !kinds_counted(site->number) && !kinds_opens(site->number))
		return PT_SITE_OTHER; /* also one that bears, where that can't be had */
	if (!site->patchable)
		return site->data ? PT_SITE_DATA : troubles[site->trouble];
	return PT_SITE_ANY;
}

void verdict_note(struct pt_tracer *t, const struct tracee *tracee, const struct site *site, uint64_t call,
		  enum pt_verdict verdict)
{
	const uint64_t number = site->number_known ? site->number : EXPLAIN_ANY;

	explain_site(t, tracee->group, tracee->tid, call, number, verdict);
	/* A C library has hundreds of sites that are of no interest. */
	if (verdict != PT_SITE_OTHER && verdict != PT_SITE_DATA)
		debug(t, PT_DEBUG_SITE, tracee->tid,
		      (struct pt_debug_entry){
			      .address = call, .number = number, .status = (int32_t)verdict, .compat = site->foreign});
}

static uint64_t jumps_of(const struct image *image)
{
	uint64_t jumps = 0;

	for (unsigned int i = 0; i < image->site_count; i++)
		jumps += image->sites[i].jumps;
	return jumps;
}

void verdict_note_jumps(struct pt_tracer *t, const struct image *image, int error)
{
	explain_jumps(t, image);
	if (debug_notes(t, PT_DEBUG_JUMPS))
		debug(t, PT_DEBUG_JUMPS, image->group->tgid,
		      (struct pt_debug_entry){.count = jumps_of(image), .error = -error});
}

void verdict_note_withdrawal(struct pt_tracer *t, const struct image *image)
{
	explain_withdrawn(t, image->group);
	debug(t, PT_DEBUG_WITHDRAWN, image->group->tgid,
	      (struct pt_debug_entry){.count = image->stage >= IMAGE_WITHDRAWN});
}
