/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fast/image/code.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "fast/image/emit_code.h"
#include "fast/image/layout.h"
#include "fast/scan/checksum.h"
#include "machine/memory.h"
#include "process/breakpoint.h"

#define LARGEST (512u << 20) /* bytes: no code segment is known to come near */

/* Takes our jumps out of a copy of the code, where they stand: code that has been mapped since has none. */
static void restore(uint8_t *bytes, const struct mapping *mapping, const struct image *image)
{
	uint8_t jump[SITE_BYTES];

	for (unsigned int i = 0; image && i < image->site_count; i++) {
		const struct fast_site *site = &image->sites[i];
		uint8_t *at = bytes + (site->begin - mapping->begin);

		if (site->begin < mapping->begin || site->begin + site_size(site) > mapping->end)
			continue;
		emit_code_make_jump(site, FAST_POINTERS + i * sizeof(uint64_t), jump);
		if (memcmp(at, jump, site_size(site)) == 0)
			memcpy(at, site->original, site_size(site));
	}
}

/* False: no memory. */
static bool sum_up(struct pt_tracer *t, struct code *code, const uint8_t *bytes)
{
	const size_t chunks = (code->size + CODE_CHUNK - 1) / CODE_CHUNK;

	while (!t->fast_state.code_key)
		if (getrandom(&t->fast_state.code_key, sizeof(t->fast_state.code_key), 0) < 0 && errno != EINTR)
			return false;
	code->sums = calloc(chunks, sizeof(*code->sums));
	for (size_t i = 0; code->sums && i < chunks; i++) {
		const size_t at = i * CODE_CHUNK, left = code->size - at;

		code->sums[i] = checksum(bytes + at, left < CODE_CHUNK ? left : CODE_CHUNK, t->fast_state.code_key);
	}
	code->sum = code->sums ? checksum((uint8_t *)code->sums, chunks * sizeof(*code->sums), t->fast_state.code_key)
			       : 0;
	return code->sums != NULL;
}

bool code_is_unchanged(const struct pt_tracer *t, const struct image *image, const struct known *known, size_t chunk)
{
	const uint64_t begin = known->begin + chunk * CODE_CHUNK, left = known->end - begin,
		       end = left < CODE_CHUNK ? known->end : begin + CODE_CHUNK;
	/* With what is around it, for a jump may be in part in another chunk. */
	const struct mapping around = {
		.begin = chunk ? begin - SITE_BYTES : begin,
		.end = end == known->end ? end : end + SITE_BYTES,
	};
	uint8_t bytes[CODE_CHUNK + 2 * SITE_BYTES];

	const int error = image_read(image, around.begin, bytes, (size_t)(around.end - around.begin));

	/* A process that may not be read, or is gone, is taken for unchanged. */
	if (error)
		return error != -EFAULT;
	restore(bytes, &around, image);
	breakpoint_hide(t, image->group, around.begin, bytes, (size_t)(around.end - around.begin));
	return checksum(bytes + (begin - around.begin), (size_t)(end - begin), t->fast_state.code_key) ==
	       known->sums[chunk];
}

static void destroy(struct code *code)
{
	if (!code)
		return;
	free(code->sites);
	free(code->sums);
	free(code);
}

static struct code *known(const struct pt_tracer *t, const struct code *like)
{
	struct code *code = t->fast_state.code;

	while (code && (code->size != like->size || code->sum != like->sum))
		code = code->next;
	return code;
}

/* What these bytes are: looked at once. NULL: no memory. */
static struct code *code_of(struct pt_tracer *t, const uint8_t *bytes, size_t size)
{
	struct code *code = calloc(1, sizeof(*code)), *before = NULL;

	if (!code)
		return NULL;
	code->size = size;
	if (sum_up(t, code, bytes))
		before = known(t, code);
	if (!code->sums || before ||
	    (checksum_has_calls(bytes, size) && sites_find(bytes, size, &code->sites, &code->count) < 0)) {
		destroy(code);
		return before;
	}
	code->next = t->fast_state.code;
	t->fast_state.code = code;
	return code;
}

const struct code *code_look(struct pt_tracer *t, pid_t pid, const struct image *image, const struct mapping *mapping)
{
	size_t size = (size_t)(mapping->end - mapping->begin);
	struct code *code = NULL;
	uint8_t *bytes;

	if (mapping->code)
		return mapping->code;
	bytes = size && size <= LARGEST ? malloc(size) : NULL;
	if (bytes && memory_read(pid, mapping->begin, bytes, size) == 0) {
		restore(bytes, mapping, image);
		if (image && image->group)
			breakpoint_hide(t, image->group, mapping->begin, bytes, size);
		code = code_of(t, bytes, size);
	}
	if (code)
		code->kept |= mapping->inode != 0;
	free(bytes);
	return code;
}

static void forget(struct pt_tracer *t, bool all)
{
	for (struct code **at = &t->fast_state.code; *at;) {
		struct code *code = *at;

		if (code->kept && !all) {
			at = &code->next;
			continue;
		}
		*at = code->next;
		destroy(code);
	}
}

void code_forget(struct pt_tracer *t)
{
	forget(t, false);
}

void code_destroy(struct pt_tracer *t)
{
	forget(t, true);
}
