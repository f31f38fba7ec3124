/* SPDX-License-Identifier: GPL-2.0-only
 *
 * A linear sweep: instruction after instruction, and where there is none, a byte is skipped. It meets the instructions
 * that are executed, but for some after data in the code, from which it finds back after a few instructions; so a site
 * right after undecodable bytes is not trusted.
 *
 * Each site is judged when the sweep is done, for only then all targets of jumps are known.
 */
#include "fast/sites.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fast/decode.h"

#define TRUSTED_AFTER 32 /* bytes without an undecodable one */
#define CALL_BYTES 2
#define NEVER SIZE_MAX

static const struct pattern_text {
	uint8_t pattern;
	struct pattern_shape shape;
	uint8_t nearest; /* bytes of the instruction right before the syscall; the rest of before is the next one */
	uint8_t length;
	uint8_t bytes[12];
} pattern_texts[] = {
	{PATTERN_COMPARE, {0, 6}, 0, 8, {0x0f, 0x05, 0x48, 0x3d, 0x00, 0xf0, 0xff, 0xff}},
	{PATTERN_COMPARE, {0, 6}, 0, 8, {0x0f, 0x05, 0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff}},
	{PATTERN_SPILL, {5, 0}, 5, 8, {0x4c, 0x89, 0x5c, 0x24, 0x08, 0x0f, 0x05, 0xc3}},
	{PATTERN_RELOAD, {5, 0}, 5, 9, {0x48, 0x8b, 0x44, 0x24, 0x10, 0x0f, 0x05, 0x5b, 0xc3}},
	{PATTERN_MOVE, {8, 0}, 3, 11, {0x4c, 0x8b, 0x4c, 0x24, 0x08, 0x48, 0x89, 0xca, 0x0f, 0x05, 0xc3}},
};

/* A site, and the beginning of the instruction that set its number. */
struct found {
	struct site site;
	size_t set_at;
};

struct sweep {
	const uint8_t *code;
	size_t size;
	uint8_t *targets; /* a bit for each byte */
	struct found *found;
	unsigned int count;
	unsigned int room;
	size_t before[2]; /* where the last two instructions began, the latest first */
	size_t trusted;	  /* from here on the sweep has not lost its way for long enough */
	size_t set_at;	  /* NEVER: the number is not known */
	uint32_t number;
};

struct pattern_shape pattern_shape(enum pattern pattern)
{
	for (size_t i = 0; i < sizeof(pattern_texts) / sizeof(*pattern_texts); i++)
		if (pattern_texts[i].pattern == pattern)
			return pattern_texts[i].shape;
	return (struct pattern_shape){0, 0};
}

bool pattern_is(enum pattern pattern, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < sizeof(pattern_texts) / sizeof(*pattern_texts); i++) {
		const struct pattern_text *text = &pattern_texts[i];

		if (text->pattern == pattern && size == (size_t)text->shape.before + CALL_BYTES + text->shape.after &&
		    memcmp(text->bytes, bytes, size) == 0)
			return true;
	}
	return false;
}

static bool text_is_there(const struct sweep *sweep, size_t offset, const struct pattern_text *text)
{
	size_t begin = offset - text->shape.before;

	if (offset < text->shape.before || sweep->size - begin < text->length ||
	    memcmp(sweep->code + begin, text->bytes, text->length) != 0)
		return false;
	/* What comes after are whole instructions, for that is where the sweep goes on. */
	if (text->shape.before == 0)
		return true;
	return sweep->before[0] == offset - text->nearest &&
	       (text->nearest == text->shape.before || sweep->before[1] == begin);
}

static uint8_t find_pattern(const struct sweep *sweep, size_t offset)
{
	for (size_t i = 0; i < sizeof(pattern_texts) / sizeof(*pattern_texts); i++)
		if (text_is_there(sweep, offset, &pattern_texts[i]))
			return pattern_texts[i].pattern;
	return PATTERN_NONE;
}

static int add_site(struct sweep *sweep, size_t offset, const struct instruction *instruction)
{
	bool plain = instruction->system_call && instruction->length == CALL_BYTES && offset >= sweep->trusted;
	bool known = sweep->set_at != NEVER && offset >= sweep->trusted;

	if (sweep->count == sweep->room) {
		unsigned int room = sweep->room ? sweep->room * 2 : 64;
		struct found *found = realloc(sweep->found, room * sizeof(*found));

		if (!found)
			return -ENOMEM;
		sweep->found = found;
		sweep->room = room;
	}
	sweep->found[sweep->count++] = (struct found){
		.site = {.offset = (uint32_t)(offset + instruction->length - CALL_BYTES), /* prefixes are skipped */
			 .pattern = plain ? find_pattern(sweep, offset) : PATTERN_NONE,
			 .number_known = known,
			 .foreign = instruction->foreign_call,
			 .number = known ? sweep->number : 0},
		.set_at = sweep->set_at,
	};
	return 0;
}

static void mark_target(struct sweep *sweep, size_t end, int32_t displacement)
{
	int64_t target = (int64_t)end + displacement;

	if (target >= 0 && target < (int64_t)sweep->size)
		sweep->targets[target / 8] |= (uint8_t)(1 << target % 8);
}

static bool is_target(const struct sweep *sweep, size_t offset)
{
	return sweep->targets[offset / 8] >> offset % 8 & 1;
}

static bool is_target_between(const struct sweep *sweep, size_t first, size_t end)
{
	for (size_t offset = first; offset < end; offset++)
		if (is_target(sweep, offset))
			return true;
	return false;
}

static void skip_byte(struct sweep *sweep, size_t at)
{
	sweep->before[0] = sweep->before[1] = NEVER;
	sweep->set_at = NEVER;
	sweep->trusted = at + 1 + TRUSTED_AFTER;
}

static void follow(struct sweep *sweep, size_t at, const struct instruction *instruction)
{
	if (instruction->branch)
		mark_target(sweep, at + instruction->length, instruction->displacement);
	if (instruction->sets_number) {
		sweep->set_at = at;
		sweep->number = instruction->number;
	} else if (!instruction->keeps_number) {
		sweep->set_at = NEVER;
	}
	sweep->before[1] = sweep->before[0];
	sweep->before[0] = at;
}

static int sweep_all(struct sweep *sweep)
{
	struct instruction instruction;
	size_t at = 0;

	while (at < sweep->size) {
		if (decode(sweep->code + at, sweep->size - at, &instruction) < 0) {
			skip_byte(sweep, at++);
			continue;
		}
		if ((instruction.system_call || instruction.foreign_call) && add_site(sweep, at, &instruction) < 0)
			return -ENOMEM;
		follow(sweep, at, &instruction);
		at += instruction.length;
	}
	return 0;
}

/* Takes back what does not hold, now that all targets are known. */
static struct site judge(const struct sweep *sweep, const struct found *found)
{
	struct site site = found->site;
	struct pattern_shape shape = pattern_shape(site.pattern);
	size_t end = site.offset + (size_t)CALL_BYTES;

	if (site.pattern != PATTERN_NONE &&
	    is_target_between(sweep, site.offset - shape.before + (size_t)1, end + shape.after))
		site.pattern = PATTERN_NONE;
	/* A jump to the instruction that sets the number does no harm. */
	if (site.number_known && is_target_between(sweep, found->set_at + 1, site.offset + (size_t)1)) {
		site.number_known = false;
		site.number = 0;
	}
	return site;
}

int sites_find(const uint8_t *code, size_t size, struct site **sites, unsigned int *count)
{
	struct sweep sweep = {.code = code, .size = size, .before = {NEVER, NEVER}, .set_at = NEVER};
	struct site *judged = NULL;

	if (size > UINT32_MAX)
		return -EFBIG;
	sweep.targets = calloc(size / 8 + 1, 1);
	if (sweep.targets && sweep_all(&sweep) == 0)
		judged = malloc((sweep.count + (size_t)1) * sizeof(*judged)); /* never 0 bytes */
	if (judged) {
		for (unsigned int i = 0; i < sweep.count; i++)
			judged[i] = judge(&sweep, &sweep.found[i]);
		*sites = judged;
		*count = sweep.count;
	}
	free(sweep.found);
	free(sweep.targets);
	return judged ? 0 : -ENOMEM;
}
