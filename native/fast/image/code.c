/* SPDX-License-Identifier: GPL-2.0-only */
#include "fast/image/code.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "fast/image/emit_code.h"
#include "fast/image/layout.h"
#include "fast/scan/checksum.h"
#include "machine/memory.h"
#include "machine/proc_path.h"
#include "process/breakpoint.h"

#define LARGEST (512u << 20) /* bytes: no code segment is known to come near */

static bool parse(const char *line, struct mapping *mapping, bool *code)
{
	unsigned int major, minor;
	char access[5];

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64, &mapping->begin, &mapping->end,
		   access, &mapping->offset, &major, &minor, &mapping->inode) != 7)
		return false;
	mapping->device = (uint64_t)major << 32 | minor;
	mapping->writable = access[1] == 'w';
	mapping->shared = access[3] == 's';
	mapping->code = NULL;
	*code = access[2] == 'x';
	return mapping->begin < mapping->end;
}

/* Calls visit for each mapping; code: it is executable. */
static int each(pid_t pid, bool (*visit)(const struct mapping *mapping, bool code, void *context), void *context)
{
	char path[PROC_PATH], line[512];
	struct mapping mapping;
	bool code, more = true, begins = true;
	FILE *maps;
	int error = proc_path(path, pid, "maps");

	if (error)
		return error;
	maps = fopen(path, "re");
	if (!maps)
		return -errno;
	/* A long path continues in what looks like lines of its own, and may say anything there. */
	while (more && fgets(line, sizeof(line), maps)) {
		if (begins && parse(line, &mapping, &code))
			more = visit(&mapping, code, context);
		begins = strchr(line, '\n') != NULL;
	}
	fclose(maps);
	return 0;
}

struct chosen {
	bool (*visit)(const struct mapping *mapping, void *context);
	void *context;
};

static bool choose(const struct mapping *mapping, bool code, void *context)
{
	const struct chosen *chosen = context;

	return !code || chosen->visit(mapping, chosen->context);
}

static bool choose_private(const struct mapping *mapping, bool code, void *context)
{
	return mapping->shared || choose(mapping, code, context);
}

int code_each_executable(pid_t pid, bool (*visit)(const struct mapping *mapping, void *context), void *context)
{
	struct chosen chosen = {.visit = visit, .context = context};

	return each(pid, choose, &chosen);
}

int code_each(pid_t pid, bool (*visit)(const struct mapping *mapping, void *context), void *context)
{
	struct chosen chosen = {.visit = visit, .context = context};

	return each(pid, choose_private, &chosen);
}

struct range {
	uint64_t begin;
	uint64_t end;
	bool found;
	bool unwritable; /* and code */
};

static bool is_range(const struct mapping *mapping, bool code, void *context)
{
	struct range *range = context;

	range->found = mapping->begin == range->begin && mapping->end == range->end && !mapping->inode;
	range->unwritable = code && !mapping->writable;
	return !range->found;
}

bool code_is_anonymous(pid_t pid, uint64_t begin, uint64_t size)
{
	struct range range = {.begin = begin, .end = begin + size};

	return each(pid, is_range, &range) == 0 && range.found;
}

bool code_is_unwritable(pid_t pid, uint64_t begin, uint64_t size)
{
	struct range range = {.begin = begin, .end = begin + size};

	return each(pid, is_range, &range) == 0 && range.found && range.unwritable;
}

struct wanted {
	uint64_t address;
	struct mapping *mapping;
	bool found;
};

static bool find_at(const struct mapping *mapping, void *context)
{
	struct wanted *wanted = context;

	if (wanted->address < mapping->begin || wanted->address >= mapping->end)
		return true;
	*wanted->mapping = *mapping;
	wanted->found = true;
	return false;
}

int code_find(pid_t pid, uint64_t address, struct mapping *mapping)
{
	struct wanted wanted = {.address = address, .mapping = mapping};
	int error = code_each(pid, find_at, &wanted);

	return error ? error : wanted.found;
}

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

	/* Who may not be read, or is gone, has not changed. */
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
