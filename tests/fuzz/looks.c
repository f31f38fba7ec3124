/* SPDX-License-Identifier: GPL-2.0-or-later
 * What is looked at before and while a program is patched: the hand-over table, code, mappings and signal frames. */
#include <string.h>
#include <unistd.h>

#include "fast/image/code.h"
#include "fast/image/emit_code.h"
#include "fast/image/handover.h"
#include "fast/image/mapping.h"
#include "fast/image/maps.h"
#include "fast/patch/cover.h"
#include "fast/patch/position.h"
#include "fast/patch/signal_frames.h"
#include "fuzz.h"

/* What a killed ptmon leaves, with some bytes changed. */
static void leave(struct input *input)
{
	const uint64_t magic = FAST_MAGIC_WORD;
	struct image image = {.reader = getpid()};
	const struct memory_code code = memory_code_begin(getpid());
	unsigned int changes;

	sites_make(&image, input);
	memory_put(FAST_REQUEST, request_begin, (size_t)(request_end - request_begin));
	memory_put(FAST_ENDING, ending_begin, (size_t)(ending_end - ending_begin));
	memory_put(FAST_ATTEMPT, attempt_begin, (size_t)(attempt_end - attempt_begin));
	HOLDS(emit_code_stubs(&image, getpid(), 0) == 0 && handover_write(&image, getpid(), 0) == 0);
	memory_put(FAST_MAGIC, &magic, sizeof(magic));
	for (unsigned int i = 0; i < image.site_count; i++)
		emit_code_jump(&code, &image.sites[i], FAST_POINTERS + i * sizeof(uint64_t));
	memory_code_end(&code);
	free(image.sites);
	changes = input_byte(input) % 16;
	for (unsigned int i = 0; i < changes; i++) {
		const uint64_t at = input_number(input, 2) % 1024;
		const uint8_t byte = input_byte(input);

		memory_put(FAST_TABLE + at, &byte, 1);
	}
}

static bool visit(const struct mapping *mapping, void *context)
{
	(void)context;
	HOLDS(mapping->begin < mapping->end);
	return true;
}

void fuzz_table(struct input *input)
{
	struct image image = {.reader = getpid()};
	struct pt_tracer *t = calloc(1, sizeof(*t));
	struct mapping mapping;
	struct position place;

	HOLDS(t);
	leave(input);
	if (handover_find(getpid()) == 1 && handover_read(&image) == 0) {
		for (unsigned int i = 0; i < image.site_count; i++)
			HOLDS(site_size(&image.sites[i]) <= SITE_BYTES);
		cover_look(&image, getpid());
		for (unsigned int i = 0; i < 16; i++)
			position_find(&image, FAST_STUBS + input_number(input, 3), &place);
		if (mapping_find(getpid(), PROGRAM, &mapping) == 1)
			code_look(t, getpid(), &image, &mapping);
	} else {
		HOLDS(image.site_count == 0);
	}
	code_destroy(t);
	free(image.sites);
	free(t);
}

void fuzz_sites(struct input *input)
{
	struct site *sites = NULL;
	unsigned int count = 0;

	if (sites_find(input->at, input->left, &sites, &count) < 0)
		return;
	for (unsigned int i = 0; i < count; i++) {
		const struct site *site = &sites[i];

		HOLDS((size_t)site->offset + 2 <= input->left);
		if (!site->patchable)
			continue;
		HOLDS(site->before <= SITE_BEFORE && site->after <= SITE_AFTER && site->jump <= site->after);
		HOLDS(site->before + 2u + site->after <= SITE_BYTES && site->before + 2u + site->after >= SITE_LEAST);
		HOLDS(site->before <= site->offset && site->offset + 2u + site->after <= input->left);
		HOLDS(memcmp(site->bytes, input->at + site->offset - site->before, site->before + 2u + site->after) ==
		      0);
	}
	free(sites);
}

void fuzz_maps(struct input *input)
{
	const uint64_t address = input_number(input, 6);
	struct mapping mapping;

	memory_maps(input->at, input->left);
	mapping_each_executable(getpid(), visit, NULL);
	if (mapping_find(getpid(), address, &mapping) == 1)
		HOLDS(mapping.begin <= address && address < mapping.end && !mapping.shared);
	if (mapping_is_unwritable(getpid(), FAST_CODE, FAST_CODE_SIZE))
		HOLDS(mapping_is_anonymous(getpid(), FAST_CODE, FAST_CODE_SIZE));
	mapped_within(getpid(), address, address + 4096);
	mapped_gap(getpid(), address, address + FAST_CODE_SIZE, 4096);
}

struct bounds {
	uint64_t first;
	uint64_t end;
};

static int look(void *context, const struct frame *frame)
{
	const struct bounds *bounds = context;

	HOLDS(frame->at >= bounds->first && frame->at + sizeof(uint64_t) <= bounds->end);
	return 0;
}

void fuzz_frames(struct input *input)
{
	const uint64_t address = input_number(input, 5) * sizeof(uint64_t);
	const size_t count = input->left / sizeof(uint64_t);
	struct bounds bounds = {address, address + count * sizeof(uint64_t)};
	uint64_t *words = malloc(count * sizeof(*words) + 1);

	HOLDS(words);
	memcpy(words, input->at, count * sizeof(*words));
	signal_frames_each(words, count, address, look, &bounds);
	free(words);
}
