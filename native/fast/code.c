/* SPDX-License-Identifier: GPL-2.0-only */
#include "fast/code.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "await.h"
#include "fast/writing.h"
#include "memory.h"
#include "proc.h"

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
	*code = access[2] == 'x' && access[3] == 'p';
	return mapping->begin < mapping->end;
}

/* Calls visit for each mapping; code: it is private and executable. */
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

int code_each(pid_t pid, bool (*visit)(const struct mapping *mapping, void *context), void *context)
{
	struct chosen chosen = {.visit = visit, .context = context};

	return each(pid, choose, &chosen);
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

static bool holds(const struct mapping *mapping, void *context)
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
	int error = code_each(pid, holds, &wanted);

	return error ? error : wanted.found;
}

static bool same(const struct mapping *a, const struct mapping *b)
{
	return a->inode && a->inode == b->inode && a->device == b->device && a->offset == b->offset &&
	       a->end - a->begin == b->end - b->begin && !a->writable && !b->writable;
}

/* Those of code that belongs to no file are not kept: the next look may find others. */
static struct code *place_for(struct pt_tracer *t, const struct mapping *mapping)
{
	struct code *code = t->code;

	while (code && code->of.inode)
		code = code->next;
	if (!code) {
		code = calloc(1, sizeof(*code));
		if (!code)
			return NULL;
		code->next = t->code;
		t->code = code;
	}
	free(code->sites);
	*code = (struct code){.next = code->next, .of = *mapping};
	return code;
}

/* Takes our jumps out of a copy of the code. */
static void restore(uint8_t *bytes, const struct mapping *mapping, const struct image *image)
{
	for (unsigned int i = 0; image && i < image->site_count; i++) {
		const struct fast_site *site = &image->sites[i];

		if (site->jumps && site->begin >= mapping->begin && site->begin + site_size(site) <= mapping->end)
			memcpy(bytes + (site->begin - mapping->begin), site->original, site_size(site));
	}
}

const struct code *code_look(struct pt_tracer *t, pid_t pid, const struct image *image, const struct mapping *mapping)
{
	size_t size = (size_t)(mapping->end - mapping->begin);
	struct code *code;
	uint8_t *bytes;

	for (code = t->code; code; code = code->next)
		if (same(&code->of, mapping))
			return code;
	bytes = size <= LARGEST ? malloc(size) : NULL;
	code = bytes && memory_read(pid, mapping->begin, bytes, size) == 0 ? place_for(t, mapping) : NULL;
	if (code)
		restore(bytes, mapping, image);
	if (code && image && image->group)
		await_hide(t, image->group, mapping->begin, bytes, size);
	if (code && sites_find(bytes, size, &code->sites, &code->count) < 0) {
		code->of = (struct mapping){0};
		code = NULL;
	}
	free(bytes);
	return code;
}

void code_destroy(struct pt_tracer *t)
{
	for (struct code *code = t->code, *next; code; code = next) {
		next = code->next;
		free(code->sites);
		free(code);
	}
	t->code = NULL;
}
