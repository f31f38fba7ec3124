/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Code may change in ways that no call of the process shows: somebody writes the file that it comes from, another
 * process throws its pages away, it writes itself through /proc/self/mem, io_uring makes the call.
 *
 * All that the process does by calls it does while the tracer knows of it (group->changing). So what is found otherwise
 * has come another way; or it is memory that is no code any more, and attach_check() sees that.
 */
#include "fast/patrol.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "fast/attach.h"
#include "fast/door.h"
#include "fast/image/code.h"
#include "fast/image/emit_code.h"
#include "fast/image/known.h"
#include "fast/image/layout.h"
#include "fast/image/stub.h"
#include "fast/patch/halt.h"
#include "process/tracee.h"
#include "records/emit.h"

#define CHUNKS 8  /* at a time */
#define JUMPS 256 /* that are read at a time */
#define JUMP_SIZE SITE_LEAST

struct jumps {
	const struct fast_site *sites[JUMPS];
	uint64_t pointers[JUMPS];
	struct iovec remote[JUMPS];
	unsigned int count;
};

static void collect(const struct image *image, unsigned int *from, struct jumps *jumps)
{
	jumps->count = 0;
	for (; *from < image->site_count && jumps->count < JUMPS; (*from)++) {
		const struct fast_site *site = &image->sites[*from];

		if (!site->jumps)
			continue;
		jumps->sites[jumps->count] = site;
		jumps->pointers[jumps->count] = FAST_POINTERS + *from * sizeof(uint64_t);
		jumps->remote[jumps->count++] = (struct iovec){.iov_base = (void *)(uintptr_t)site->begin,
							       .iov_len = JUMP_SIZE};
	}
}

static void drop_lost(struct image *image, const struct jumps *jumps, uint8_t (*now)[JUMP_SIZE], ssize_t got)
{
	uint8_t jump[SITE_BYTES];

	for (unsigned int i = 0; i < jumps->count; i++) {
		emit_code_make_jump(jumps->sites[i], jumps->pointers[i], jump);
		if (got < (ssize_t)((i + 1) * JUMP_SIZE) || memcmp(now[i], jump, JUMP_SIZE) != 0)
			known_drop(image, jumps->sites[i]->begin, jumps->sites[i]->begin + 1);
	}
}

/* What is around a jump that is lost is not known any more. */
static void look_at_jumps(struct image *image)
{
	uint8_t now[JUMPS][JUMP_SIZE];
	const struct iovec local = {.iov_base = now, .iov_len = sizeof(now)};
	struct jumps jumps;
	unsigned int from = 0;

	while (from < image->site_count) {
		ssize_t got;

		collect(image, &from, &jumps);
		if (!jumps.count)
			return;
		got = process_vm_readv(image->reader, &local, 1, jumps.remote, jumps.count, 0);
		/* It can't be read at all, or is gone: its ring can't, either. */
		if (got >= 0)
			drop_lost(image, &jumps, now, got);
	}
}

/* True: all has been looked at. */
static bool look_at_some(struct pt_tracer *t, struct image *image)
{
	for (unsigned int i = 0; i < CHUNKS; i++) {
		const struct known *known;
		size_t chunk;

		if (image->patrol.at >= image->known_count) {
			image->patrol.at = 0;
			image->patrol.offset = 0;
			return true;
		}
		known = &image->known[image->patrol.at];
		chunk = (size_t)(image->patrol.offset / CODE_CHUNK);
		image->patrol.offset += CODE_CHUNK;
		if (known->begin + image->patrol.offset >= known->end) {
			image->patrol.at++;
			image->patrol.offset = 0;
		}
		if (!code_is_unchanged(t, image, known, chunk))
			known_drop(image, known->begin, known->end);
	}
	return false;
}

/* -ENOEXEC alone says that there is something else; a process that is about to be gone, or may not be read any more,
 * has nothing to look at. */
static void check(struct pt_tracer *t, struct image *image, struct tracee *standing)
{
	struct tracee *tracee = standing ? standing : tracee_find(t, image->reader);

	if (!tracee || attach_check(t, image, tracee) != -ENOEXEC)
		return;
	emit_warning(t, tracee, PT_REASON_CODE, NULL, 0);
	halt_process(t, image->group, standing);
	door_withdraw(t, tracee, PT_FALLBACK_CODE);
}

static bool may_look(const struct pt_tracer *t, const struct image *image)
{
	return image->group->fast.free && !image->group->fast.changing && t->counting && !image->leaving;
}

void patrol_jumps(struct pt_tracer *t, struct image *image, struct tracee *tracee)
{
	const unsigned int before = image->known_count;

	if (!may_look(t, image))
		return;
	look_at_jumps(image);
	if (image->known_count != before)
		check(t, image, tracee);
}

void patrol_image(struct pt_tracer *t, struct image *image)
{
	const unsigned int before = image->known_count;
	bool all;

	if (!may_look(t, image) || t->detaching)
		return;
	look_at_jumps(image);
	all = look_at_some(t, image);
	if (all || image->known_count != before)
		check(t, image, NULL);
}
