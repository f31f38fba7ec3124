/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fast/unknown.h"

#include <errno.h>
#include <stdlib.h>

#include "fast/image/known.h"
#include "fast/image/layout.h"

#define MAPPINGS_MOST 4096

static bool add_range(struct unknown *unknown, const struct mapping *mapping, uint64_t begin, uint64_t end)
{
	struct mapping *more;

	if (begin >= end || known_covers(unknown->image, begin, end))
		return true;
	more = unknown->count < MAPPINGS_MOST ? realloc(unknown->mappings, (unknown->count + 1) * sizeof(*more)) : NULL;
	if (!more) {
		unknown->error = -ENOMEM;
		return false;
	}
	unknown->mappings = more;
	more[unknown->count] = *mapping;
	more[unknown->count].begin = begin;
	more[unknown->count++].end = end;
	return true;
}

static bool add(const struct mapping *mapping, void *context)
{
	const uint64_t ours_end = FAST_CODE + FAST_CODE_SIZE;
	struct unknown *unknown = context;

	/* [vsyscall]: the kernel's addresses, and no call there is of interest. */
	if (mapping->begin >> 63)
		return true;
	/* Whoever can write it, the program or another one that has the file, may write any call into it at any time.
	 */
	if (mapping->writable || mapping->shared) {
		unknown->error = -ENOEXEC;
		return false;
	}
	if (mapping->end <= FAST_CODE || mapping->begin >= ours_end)
		return add_range(unknown, mapping, mapping->begin, mapping->end);
	/* Ours, to which the kernel may have joined the program's own. */
	return add_range(unknown, mapping, mapping->begin, FAST_CODE) &&
	       add_range(unknown, mapping, ours_end, mapping->end);
}

int unknown_find(struct pt_tracer *t, pid_t pid, const struct image *image, struct unknown *unknown)
{
	int error;

	unknown->image = image;
	unknown->count = 0;
	unknown->error = 0;
	error = mapping_each_executable(pid, add, unknown);
	for (unsigned int i = 0; i < unknown->count && !error && !unknown->error; i++) {
		unknown->mappings[i].code = code_look(t, pid, image, &unknown->mappings[i]);
		if (!unknown->mappings[i].code)
			error = -ENOEXEC;
	}
	return error ? error : unknown->error;
}

int unknown_take(struct image *image, const struct unknown *unknown)
{
	int error = 0;

	for (unsigned int i = 0; i < unknown->count && !error; i++)
		error = known_add(image, &unknown->mappings[i]);
	return error;
}

void unknown_end(struct pt_tracer *t, struct unknown *unknown)
{
	free(unknown->mappings);
	code_forget(t);
}
