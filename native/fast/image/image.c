/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fast/image/image.h"

#include <errno.h>
#include <stdlib.h>

#include "fast/image/layout.h"
#include "machine/memory.h"
#include "machine/registers.h"
#include "process/tracee.h"

static const struct fast_site *site_of_stub(const struct image *image, uint64_t address)
{
	unsigned int low = 0, high = image->site_count;

	/* Stubs are laid out in the order of their sites. The last one that begins at or before the address. */
	while (low < high) {
		unsigned int middle = low + (high - low) / 2;

		if (image->sites[middle].stub_at <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &image->sites[low - 1] : NULL;
}

const struct fast_site *image_stub_of(const struct image *image, uint64_t address, uint32_t *offset)
{
	const struct fast_site *site;

	if (address < FAST_STUBS || address >= FAST_STUBS_END)
		return NULL;
	site = site_of_stub(image, address);
	if (!site || address - site->stub_at >= site->stub->size)
		return NULL;
	*offset = (uint32_t)(address - site->stub_at);
	return site;
}

const struct fast_site *image_twin_of(const struct image *image, uint64_t address, uint32_t *offset)
{
	uint64_t index = (address - FAST_TWINS) >> FAST_TWIN_BITS;

	if (address < FAST_TWINS || index >= image->site_count)
		return NULL;
	*offset = (uint32_t)(address - FAST_TWINS) & ((1u << FAST_TWIN_BITS) - 1);
	return &image->sites[index];
}

uint64_t image_twin(const struct image *image, const struct fast_site *site)
{
	return FAST_TWINS + ((uint64_t)(site - image->sites) << FAST_TWIN_BITS);
}

bool image_has_site(const struct image *image, uint64_t call)
{
	for (unsigned int i = 0; i < image->site_count; i++)
		if (image->sites[i].call == call && image->sites[i].jumps)
			return true;
	return false;
}

bool image_knows_site(const struct image *image, uint64_t call)
{
	for (unsigned int i = 0; i < image->site_count; i++)
		if (image->sites[i].call == call)
			return true;
	return false;
}

void image_drop_sites(struct image *image, unsigned int first)
{
	if (first < image->site_count)
		image->stubs_end = image->sites[first].stub_at;
	image->site_count = first;
}

bool image_has_tried(const struct image *image, uint64_t call)
{
	for (unsigned int i = 0; i < image->tried_count; i++)
		if (image->tried[i] == call)
			return true;
	/* A twin's call stops because it has to. */
	return call >= FAST_CODE && call < FAST_CODE + FAST_CODE_SIZE;
}

void image_add_tried(struct image *image, uint64_t call)
{
	uint64_t *more = realloc(image->tried, (image->tried_count + 1) * sizeof(*more));

	if (!more)
		return;
	image->tried = more;
	more[image->tried_count++] = call;
}

int image_read(const struct image *image, uint64_t address, void *to, size_t length)
{
	return memory_read_direct(image->reader, address, to, length);
}

int image_write(const struct image *image, uint64_t address, const void *from, size_t length)
{
	return memory_write_direct(image->reader, address, from, length);
}

static int peek(pid_t tid)
{
	uint32_t flags;

	return memory_read_direct(tid, FAST_FLAGS, &flags, sizeof(flags));
}

bool image_is_readable(const struct image *image)
{
	return peek(image->reader) == 0;
}

int image_set_flags(struct image *image, uint32_t flags)
{
	if (image->flags == flags)
		return 0;
	image->flags = flags;
	return image_write(image, FAST_FLAGS, &flags, sizeof(flags));
}

/* Also through one that has not come to its first stop yet: the memory is there. */
static bool may_read_through(const struct image *image, const struct tracee *tracee, const struct tracee *exiting)
{
	return tracee->group == image->group && tracee != exiting && tracee->state != TRACEE_EXITING &&
	       peek(tracee->tid) != -ESRCH; /* or it is dead, and nobody has told yet */
}

/* A race with SIGKILL: a thread that exits by itself stands in its stop, and exit_group(2) of another takes it out of
 * it, so that its end is all that is told. */
bool image_read_through_another(struct pt_tracer *t, struct image *image, const struct tracee *exiting)
{
	struct tracee *tracee = tracee_find(t, image->reader);
	pid_t found = tracee && may_read_through(image, tracee, exiting) ? tracee->tid : 0;

	for (unsigned int i = 0; i < image->thread_count && !found; i++)
		if (may_read_through(image, image->threads[i].tracee, exiting))
			found = image->threads[i].tracee->tid;
	/* One whose thread pointer is not known yet (threads_add): main may exit before that. */
	if (!found)
		for_each_tracee (t, tracee)
			if (may_read_through(image, tracee, exiting))
				found = tracee->tid;
	if (found)
		image->reader = found;
	else if (exiting)
		image->reader = exiting->tid;
	return found;
}
