/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A linear sweep: instruction after instruction, and where there is none, a byte is skipped. It meets the instructions
 * that are executed, but for some after data in the code, from which it finds back after a few instructions; so a site
 * right after undecodable bytes is not trusted.
 *
 * Each site is judged when the sweep is done, for only then all targets of jumps are known.
 */
#include "fast/scan/sites.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fast/scan/decode.h"
#include "fast/scan/ranges.h"

#define TRUSTED_AFTER 32 /* bytes without an undecodable one */
#define DATA_AROUND 64	 /* bytes: what has an undecodable one so near is data rather than code */
#define NUMBERS 1024	 /* no system call has a higher number: bytes that stand for one by chance have another */
#define REGISTERS 16
#define NEVER SIZE_MAX

/* A site, and what the sweep saw before it. */
struct found {
	struct site site;
	size_t set_at;		   /* the begin of the instruction that set its number */
	uint8_t back[RANGE_STEPS]; /* see range_choose() */
	bool plain;		   /* syscall without prefixes, where the sweep is trusted */
	bool loaded;		   /* eax was set a little before, by a mov */
};

struct constant {
	size_t set_at;
	uint32_t number;
};

struct sweep {
	struct ground ground;
	struct found *found;
	unsigned int count;
	unsigned int room;
	size_t before[RANGE_STEPS]; /* where the last instructions began, the latest first */
	size_t trusted;		    /* from here on the sweep has not lost its way for long enough */
	size_t bad;		    /* the last undecodable byte, or NEVER */
	size_t loaded;		    /* the mov that set eax last, or NEVER */
	uint16_t known;		    /* registers that hold a constant, a bit for each */
	struct constant registers[REGISTERS];
};

static struct found *new_found(struct sweep *sweep)
{
	if (sweep->count == sweep->room) {
		unsigned int room = sweep->room ? sweep->room * 2 : 64;
		struct found *found = realloc(sweep->found, room * sizeof(*found));

		if (!found)
			return NULL;
		sweep->found = found;
		sweep->room = room;
	}
	return &sweep->found[sweep->count++];
}

static int add_site(struct sweep *sweep, size_t offset, const struct instruction *instruction)
{
	const struct constant *eax = &sweep->registers[0];
	bool trusted = offset >= sweep->trusted, known = trusted && sweep->known & 1;
	struct found *found = new_found(sweep);

	if (!found)
		return -ENOMEM;
	*found = (struct found){
		.site = {.offset = (uint32_t)(offset + instruction->length - CALL_BYTES), /* prefixes are skipped */
			 .number_known = known,
			 .foreign = instruction->foreign_call,
			 .data = sweep->bad != NEVER && offset - sweep->bad <= DATA_AROUND,
			 .number = known ? eax->number : 0},
		.set_at = known ? eax->set_at : NEVER,
		.loaded = sweep->loaded != NEVER && offset - sweep->loaded <= DATA_AROUND,
		.plain = trusted && instruction->system_call && instruction->length == CALL_BYTES,
	};
	for (unsigned int i = 0; i < RANGE_STEPS && sweep->before[i] != NEVER; i++)
		if (offset - sweep->before[i] <= SITE_BEFORE)
			found->back[i] = (uint8_t)(offset - sweep->before[i]);
	if (found->plain)
		range_take_pattern(&sweep->ground, &found->site, found->back);
	return 0;
}

static void forget_registers(struct sweep *sweep)
{
	sweep->known = 0;
	sweep->loaded = NEVER;
}

static void set_register(struct sweep *sweep, unsigned int number, struct constant constant)
{
	sweep->registers[number] = constant;
	sweep->known |= (uint16_t)(1u << number);
}

static void skip_byte(struct sweep *sweep, size_t at)
{
	for (unsigned int i = 0; i < RANGE_STEPS; i++)
		sweep->before[i] = NEVER;
	forget_registers(sweep);
	sweep->trusted = at + 1 + TRUSTED_AFTER;
	sweep->bad = at;
	for (unsigned int i = sweep->count; i > 0 && at - sweep->found[i - 1].site.offset <= DATA_AROUND; i--)
		sweep->found[i - 1].site.data = true;
}

/* What becomes of the constants that registers hold. A copy was set where its original was: a jump to anywhere behind
 * that may bring another value. */
static void follow_registers(struct sweep *sweep, size_t at, const struct instruction *instruction)
{
	const bool copies = instruction->copies && sweep->known >> instruction->source & 1;
	const struct constant copy = sweep->registers[instruction->source];

	sweep->known &= (uint16_t)~instruction->writes;
	if (instruction->constant)
		set_register(sweep, instruction->target, (struct constant){at, instruction->number});
	else if (copies)
		set_register(sweep, instruction->target, copy);
	if (instruction->writes & 1)
		sweep->loaded = instruction->sets_eax ? at : NEVER;
	if (instruction->ends)
		forget_registers(sweep);
}

static int sweep_all(struct sweep *sweep)
{
	struct instruction instruction;
	size_t at = 0;

	while (at < sweep->ground.size) {
		if (decode_flow(sweep->ground.code + at, sweep->ground.size - at, &instruction) < 0) {
			skip_byte(sweep, at++);
			continue;
		}
		if ((instruction.system_call || instruction.foreign_call) && add_site(sweep, at, &instruction) < 0)
			return -ENOMEM;
		if (instruction.branch || instruction.points)
			ground_add_target(&sweep->ground, at + instruction.length, instruction.displacement);
		follow_registers(sweep, at, &instruction);
		memmove(sweep->before + 1, sweep->before, (RANGE_STEPS - 1) * sizeof(*sweep->before));
		sweep->before[0] = at;
		at += instruction.length;
	}
	return 0;
}

/* Takes back what does not hold, now that all targets are known. */
static void judge(const struct ground *ground, struct found *found)
{
	struct site *site = &found->site;
	size_t call = site->offset;

	if (site->patchable && ground_is_entered(ground, call - site->before + 1, call + CALL_BYTES + site->after)) {
		site->patchable = false;
		site->trouble = SITE_IS_ENTERED;
	}
	/* A jump to the instruction that sets the number does no harm. */
	if (site->number_known && ground_is_entered(ground, found->set_at + 1, call + 1)) {
		site->number_known = false;
		site->number = 0;
	}
	if (site->patchable)
		site->data = false;
	else
		site->before = site->after = 0;
}

static size_t begin_of(const struct site *site)
{
	return site->offset - (size_t)site->before;
}

static size_t end_of(const struct site *site)
{
	return site->offset + (size_t)CALL_BYTES + site->after;
}

/* A range for a site without a pattern, if it is surely code; between those of the sites beside it. */
static void judge_range(const struct sweep *sweep, unsigned int i)
{
	struct found *found = &sweep->found[i];
	struct site *site = &found->site;
	size_t low = i ? end_of(&found[-1].site) : 0;
	size_t high = i + 1 < sweep->count ? begin_of(&found[1].site) : sweep->ground.size;

	if (!site->patchable && site->trouble == SITE_FINE)
		site->trouble = SITE_NO_CODE;
	if (found->plain && !site->patchable && !site->data && (found->loaded || site->number_known))
		range_choose(&sweep->ground, site, found->back, low, high);
	if (site->number_known && site->number < NUMBERS)
		site->data = false;
	if (site->patchable)
		memcpy(site->bytes, sweep->ground.code + begin_of(site), end_of(site) - begin_of(site));
}

static struct site *judge_all(const struct sweep *sweep)
{
	struct site *sites = malloc((sweep->count + (size_t)1) * sizeof(*sites)); /* never 0 bytes */

	for (unsigned int i = 0; i < sweep->count; i++)
		judge(&sweep->ground, &sweep->found[i]);
	for (unsigned int i = 0; sites && i < sweep->count; i++) {
		judge_range(sweep, i);
		sites[i] = sweep->found[i].site;
	}
	return sites;
}

int sites_find(const uint8_t *code, size_t size, struct site **sites, unsigned int *count)
{
	struct sweep sweep = {.ground = {.code = code, .size = size}, .bad = NEVER};
	struct site *judged = NULL;

	if (size > UINT32_MAX)
		return -EFBIG;
	for (unsigned int i = 0; i < RANGE_STEPS; i++)
		sweep.before[i] = NEVER;
	forget_registers(&sweep);
	sweep.ground.targets = calloc(size / 8 + 1, 1);
	if (sweep.ground.targets && sweep_all(&sweep) == 0)
		judged = judge_all(&sweep);
	if (judged) {
		*sites = judged;
		*count = sweep.count;
	}
	free(sweep.found);
	free(sweep.ground.targets);
	return judged ? 0 : -ENOMEM;
}
