/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The stub of a site replays the instructions of its range. Before the call it loses rcx, r11 and the flags, after
 * those in front have been run; the call itself would lose rcx and r11. So
 *
 *   in front of the call   all that does the same elsewhere is fine: what it leaves in rcx, r11 or the flags the call
 *                          would lose, or nothing reads any more
 *   behind it              nothing may read the flags, rcx or r11 before they are set anew
 *
 * A signal that cancels a thread has it go back to the begin of the range (signalled.c): there what is in front is run
 * again. A range where that does no harm is preferred.
 */
#include "fast/scan/ranges.h"

#include "fast/scan/decode.h"

#define LOST (1u << 1 | 1u << 11) /* rcx and r11 */
#define LOOK_AHEAD 32		  /* instructions */

/* The instructions in front of a call that a range may begin with, the nearest first, or behind it; and how many bytes
 * it takes up to each of them. */
struct steps {
	unsigned int count;
	uint8_t bytes[RANGE_STEPS + 1];
	uint8_t jump; /* the last one, if it is a jump: its bytes */
	struct instruction at[RANGE_STEPS];
};

void ground_add_target(struct ground *ground, size_t end, int32_t displacement)
{
	int64_t target = (int64_t)end + displacement;

	if (target >= 0 && target < (int64_t)ground->size)
		ground->targets[target / 8] |= (uint8_t)(1 << target % 8);
}

bool ground_is_entered(const struct ground *ground, size_t first, size_t end)
{
	for (size_t offset = first; offset < end; offset++)
		if (ground->targets[offset / 8] >> offset % 8 & 1)
			return true;
	return false;
}

/* Will the flags be set, behind this place, before anything reads them? A function expects nothing of them, neither
 * when it is called nor when one returns to it. */
static bool flags_are_dead(const struct ground *ground, size_t begin)
{
	struct instruction instruction;
	size_t at = begin;

	for (unsigned int i = 0; i < LOOK_AHEAD; i++) {
		if (at >= ground->size || decode(ground->code + at, ground->size - at, &instruction) < 0 ||
		    instruction.reads_flags)
			return false;
		at += instruction.length;
		if (instruction.branch && instruction.ends) /* into nowhere, if it leads before the code */
			at += (size_t)(int64_t)instruction.displacement;
		else if (instruction.branch || instruction.ends)
			return true;
		if (instruction.sets_flags || at == begin) /* for ever: for (;;) exit(); */
			return true;
	}
	return false;
}

static struct steps steps_before(const struct ground *ground, const struct site *site, const uint8_t *back, size_t low)
{
	struct steps steps = {0};

	for (unsigned int i = 0; i < RANGE_STEPS && back[i] && back[i] <= SITE_BEFORE; i++) {
		size_t next = site->offset - (i ? back[i - 1] : 0u), at = site->offset - (size_t)back[i];

		if (at < low || ground_is_entered(ground, at + 1, next + 1) ||
		    decode(ground->code + at, next - at, &steps.at[i]) < 0 || !steps.at[i].relocatable)
			break;
		steps.bytes[++steps.count] = back[i];
	}
	return steps;
}

static struct steps steps_after(const struct ground *ground, const struct site *site, size_t high)
{
	size_t begin = site->offset + (size_t)CALL_BYTES, at = begin;
	unsigned int lost = LOST;
	struct steps steps = {0};

	while (steps.count < RANGE_STEPS && !steps.jump && at < high) {
		struct instruction *step = &steps.at[steps.count];
		bool jump;

		if (decode(ground->code + at, high - at, step) < 0 ||
		    ground_is_entered(ground, at, at + step->length) || at + step->length - begin > SITE_AFTER)
			break;
		jump = step->branch && step->ends;
		if (!jump && (!step->relocatable || step->reads & lost))
			break;
		lost &= ~(unsigned int)step->writes;
		steps.jump = jump ? step->length : 0;
		at += step->length;
		steps.bytes[++steps.count] = (uint8_t)(at - begin);
	}
	return steps;
}

/* May these be run again, when they have been? Each must find then what it found at first. */
static bool is_repeatable(const struct steps *before, unsigned int count)
{
	bool loads = false, stores = false;
	unsigned int written = LOST;

	for (unsigned int i = 0; i < count; i++) {
		written |= before->at[i].writes;
		if (before->at[i].reads & written)
			return false;
		loads |= before->at[i].loads;
		stores |= before->at[i].stores;
	}
	return !loads || !stores;
}

struct choice {
	const struct steps before;
	const struct steps after;
	struct site *site;
	bool repeatable; /* it must be */
};

static bool take(const struct choice *choice, unsigned int before, unsigned int after)
{
	unsigned int bytes = choice->before.bytes[before] + CALL_BYTES + choice->after.bytes[after];
	bool repeatable = is_repeatable(&choice->before, before);
	struct site *site = choice->site;

	if (bytes < SITE_LEAST || bytes > SITE_BYTES || (choice->repeatable && !repeatable))
		return false;
	site->patchable = true;
	site->repeatable = repeatable;
	site->before = choice->before.bytes[before];
	site->after = choice->after.bytes[after];
	site->jump = after == choice->after.count ? choice->after.jump : 0;
	return true;
}

static bool take_any(const struct choice *choice)
{
	if (choice->after.count && choice->after.at[0].sets_flags)
		for (unsigned int after = 1; after <= choice->after.count; after++)
			if (take(choice, 0, after))
				return true;
	for (unsigned int before = 1; before <= choice->before.count; before++)
		if (take(choice, before, 0))
			return true;
	for (unsigned int before = 0; before <= choice->before.count; before++)
		for (unsigned int after = 1; after <= choice->after.count; after++)
			if (take(choice, before, after))
				return true;
	return false;
}

/* Could there be a range, if nothing jumped to the instructions around the call? */
static bool is_entered(const struct ground *ground, size_t call)
{
	const size_t end = call + CALL_BYTES + SITE_AFTER;

	return ground_is_entered(ground, call > SITE_BEFORE ? call - SITE_BEFORE + 1 : 0,
				 end < ground->size ? end : ground->size);
}

void range_choose(const struct ground *ground, struct site *site, const uint8_t *back, size_t low, size_t high)
{
	struct choice choice = {
		.before = steps_before(ground, site, back, low),
		.after = steps_after(ground, site, high),
		.site = site,
		.repeatable = true,
	};

	site->trouble = SITE_KEEPS_FLAGS;
	if (!flags_are_dead(ground, site->offset + (size_t)CALL_BYTES))
		return;
	site->trouble = SITE_FINE;
	if (take_any(&choice))
		return;
	choice.repeatable = false;
	if (!take_any(&choice))
		site->trouble = is_entered(ground, site->offset) ? SITE_IS_ENTERED : SITE_IS_SHORT;
}
