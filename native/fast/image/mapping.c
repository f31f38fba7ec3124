/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fast/image/mapping.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "machine/proc_path.h"

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

int mapping_each_executable(pid_t pid, bool (*visit)(const struct mapping *mapping, void *context), void *context)
{
	struct chosen chosen = {.visit = visit, .context = context};

	return each(pid, choose, &chosen);
}

int mapping_each(pid_t pid, bool (*visit)(const struct mapping *mapping, void *context), void *context)
{
	struct chosen chosen = {.visit = visit, .context = context};

	return each(pid, choose_private, &chosen);
}

struct exact {
	uint64_t begin;
	uint64_t end;
	bool found;
	bool unwritable; /* and code */
};

static bool is_range(const struct mapping *mapping, bool code, void *context)
{
	struct exact *range = context;

	range->found = mapping->begin == range->begin && mapping->end == range->end && !mapping->inode;
	range->unwritable = code && !mapping->writable;
	return !range->found;
}

bool mapping_is_anonymous(pid_t pid, uint64_t begin, uint64_t size)
{
	struct exact range = {.begin = begin, .end = begin + size};

	return each(pid, is_range, &range) == 0 && range.found;
}

bool mapping_is_unwritable(pid_t pid, uint64_t begin, uint64_t size)
{
	struct exact range = {.begin = begin, .end = begin + size};

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

int mapping_find(pid_t pid, uint64_t address, struct mapping *mapping)
{
	struct wanted wanted = {.address = address, .mapping = mapping};
	int error = mapping_each(pid, find_at, &wanted);

	return error ? error : wanted.found;
}
