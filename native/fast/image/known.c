/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fast/image/known.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fast/image/emit_code.h"
#include "fast/image/layout.h"

#define KNOWN_MOST 4096

static uint64_t *copy_sums(const uint64_t *sums, uint64_t size)
{
	const size_t bytes = (size_t)((size + CODE_CHUNK - 1) / CODE_CHUNK) * sizeof(*sums);
	uint64_t *copy = malloc(bytes);

	if (copy)
		memcpy(copy, sums, bytes);
	return copy;
}

static int append(struct image *image, uint64_t begin, uint64_t end, const uint64_t *sums)
{
	struct known *more = image->known_count < KNOWN_MOST
				     ? realloc(image->known, (image->known_count + 1) * sizeof(*more))
				     : NULL;
	uint64_t *copy = copy_sums(sums, end - begin);

	if (more)
		image->known = more;
	if (!more || !copy) {
		free(copy);
		return -ENOMEM;
	}
	more[image->known_count++] = (struct known){.begin = begin, .end = end, .sums = copy};
	return 0;
}

static bool overlaps(const struct known *known, uint64_t begin, uint64_t end)
{
	return known->begin < end && known->end > begin;
}

void known_drop(struct image *image, uint64_t begin, uint64_t end)
{
	unsigned int left = 0;

	/* Those that stay keep their order: a stub may be going through them (FAST_PATCHED). */
	for (unsigned int i = 0; i < image->known_count; i++) {
		if (overlaps(&image->known[i], begin, end))
			free(image->known[i].sums);
		else
			image->known[left++] = image->known[i];
	}
	image->known_count = left;
	image->patrol.offset = 0;
}

int known_add(struct image *image, const struct mapping *mapping)
{
	known_drop(image, mapping->begin, mapping->end);
	return append(image, mapping->begin, mapping->end, mapping->code->sums);
}

bool known_touches(const struct image *image, uint64_t begin, uint64_t end)
{
	for (unsigned int i = 0; i < image->known_count; i++)
		if (overlaps(&image->known[i], begin, end))
			return true;
	return false;
}

bool known_covers(const struct image *image, uint64_t begin, uint64_t end)
{
	unsigned int i = 0;

	/* The kernel joins mappings: one of today may have been several. */
	while (begin < end && i < image->known_count) {
		const struct known *known = &image->known[i++];

		if (known->begin <= begin && known->end > begin) {
			begin = known->end;
			i = 0;
		}
	}
	return begin >= end;
}

bool known_is_patched(const struct image *image, uint64_t begin, uint64_t end)
{
	for (unsigned int i = 0; i < image->site_count; i++) {
		const struct fast_site *site = &image->sites[i];

		if (site->jumps && site->begin < end && site->begin + site_size(site) > begin)
			return true;
	}
	return false;
}

int known_write(const struct image *image)
{
	struct {
		uint64_t begin;
		uint64_t end;
	} ranges[FAST_PATCHED_MOST + 1] = {0};
	unsigned int count = 0;

	_Static_assert(FAST_PATCHED + sizeof(ranges) <= FAST_SAVED, "FAST_PATCHED_MOST");
	for (unsigned int i = 0; i < image->known_count; i++) {
		const struct known *known = &image->known[i];

		if (!known_is_patched(image, known->begin, known->end))
			continue;
		if (count == FAST_PATCHED_MOST) {
			/* Too many: all there is. */
			ranges[0].begin = 0;
			ranges[0].end = UINT64_MAX;
			break;
		}
		ranges[count].begin = known->begin;
		ranges[count++].end = known->end;
	}
	return image_write(image, FAST_PATCHED, ranges, sizeof(ranges));
}

int known_copy(struct image *image, const struct image *of)
{
	int error = 0;

	for (unsigned int i = 0; i < of->known_count && !error; i++)
		error = append(image, of->known[i].begin, of->known[i].end, of->known[i].sums);
	return error;
}

void known_destroy(struct image *image)
{
	for (unsigned int i = 0; i < image->known_count; i++)
		free(image->known[i].sums);
	free(image->known);
	image->known = NULL;
	image->known_count = 0;
}
