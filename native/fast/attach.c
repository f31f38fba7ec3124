/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A tracee under PTRACE_SYSCALL stops at each call; under PTRACE_CONT at none. Without a filter there is nothing
 * between the two. So a process runs under PTRACE_CONT ("free") when all of its code is known: each syscall instruction
 * either makes a call that is of no interest, or jumps to a stub. A stub whose call has to stop lets its thread make a
 * request (request.S), and the tracer then follows that thread with PTRACE_SYSCALL to the end of the call.
 *
 * Code that comes later comes by calls that make requests, too (changes.c), and then what is new is looked at. Code
 * that the program generates by itself, or has moved into memory of no file (huge pages), is looked at like any other.
 * What it can write and execute at the same time can't be known: such a process stays at its stops, and so does one
 * with code in memory that it shares.
 */
#include "fast/attach.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/personality.h>

#include "fast/count/explain.h"
#include "fast/count/ring.h"
#include "fast/count/threads.h"
#include "fast/door.h"
#include "fast/image/code.h"
#include "fast/image/handover.h"
#include "fast/image/known.h"
#include "fast/image/layout.h"
#include "fast/image/mapping.h"
#include "fast/image/maps.h"
#include "fast/patch/cover.h"
#include "fast/patch/halt.h"
#include "fast/patch/patch.h"
#include "fast/patch/relocate.h"
#include "fast/requests.h"
#include "fast/scan/checksum.h"
#include "fast/setup.h"
#include "fast/unknown.h"
#include "machine/memory.h"
#include "process/breakpoint.h"
#include "records/debug.h"

/* 0, or the first error. */
static int patch_all(struct pt_tracer *t, struct image *image, struct tracee *tracee, const struct unknown *unknown)
{
	int result = 0;

	for (unsigned int i = 0; i < unknown->count && result >= 0; i++) {
		result = cover_check(t, tracee, &unknown->mappings[i]);
		if (!result)
			result = patch_mapping(t, image, tracee, &unknown->mappings[i], PATCH_ALL, 0);
	}
	for (unsigned int i = 0; i < unknown->count && result >= 0; i++)
		if (!cover_is_complete(t, image, tracee, &unknown->mappings[i]))
			/* A breakpoint goes away when its thread comes. */
			result = image->occupied || breakpoint_any(t, tracee->group) ? -EAGAIN : -ENOEXEC;
	return result < 0 ? result : 0;
}

/* Whoever has this personality gets executable memory without asking for it. It is inherited. */
static void look_at_personality(pid_t tid, void *context)
{
	unsigned int personality = 0;
	bool *implies = context;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/personality", (int)tid);
	file = fopen(path, "re");
	if (file && fscanf(file, "%x", &personality) == 1)
		*implies |= (personality & READ_IMPLIES_EXEC) != 0;
	if (file)
		fclose(file);
}

static bool reading_implies_executing(const struct group *group)
{
	bool implies = false;

	halt_each(group, look_at_personality, &implies);
	return implies;
}

int attach_can(struct pt_tracer *t, struct tracee *tracee)
{
	const struct image none = {.reader = tracee->tid, .group = tracee->group};
	struct unknown unknown = {0};
	int error = unknown_find(t, tracee->tid, &none, &unknown);

	for (unsigned int i = 0; i < unknown.count && !error; i++)
		error = cover_check(t, tracee, &unknown.mappings[i]);
	unknown_end(t, &unknown);
	return error;
}

int attach_free(struct pt_tracer *t, struct image *image, struct tracee *tracee)
{
	struct unknown unknown = {0};
	int error;

	/* A first look while the others run on: files that are large take some time, and are remembered. Then they
	 * stand, so that nobody maps more code between the look and the patch. */
	error = image->site_count ? unknown_find(t, tracee->tid, image, &unknown) : 0;
	if (!error && !halt_process(t, tracee->group, tracee))
		error = -EAGAIN;
	if (!error && !image->known_count && reading_implies_executing(tracee->group))
		error = -ENOEXEC;
	if (!error)
		error = unknown_find(t, tracee->tid, image, &unknown);
	if (!error)
		cover_again(t, image, tracee);
	explain_jumps(t, image);
	if (!error)
		error = patch_all(t, image, tracee, &unknown);
	if (!error)
		error = unknown_take(image, &unknown);
	if (!error)
		error = known_write(image);
	unknown_end(t, &unknown);
	if (!error && !threads_add_all(t, image))
		error = -EMLINK;
	if (!error && !tracee->group->fast.free)
		error = relocate_count_requests(t, tracee->group);
	tracee->group->fast.free = !error;
	debug(t, PT_DEBUG_FREE, tracee->group->tgid, (struct pt_debug_entry){.error = -error});
	return error;
}

int attach_check(struct pt_tracer *t, struct image *image, struct tracee *tracee)
{
	struct unknown unknown = {0};
	int error;

	cover_look(image, tracee->tid);
	error = unknown_find(t, tracee->tid, image, &unknown);
	for (unsigned int i = 0; i < unknown.count && !error; i++) {
		error = cover_check(t, tracee, &unknown.mappings[i]);
		if (!error && !cover_is_complete(t, image, tracee, &unknown.mappings[i]))
			error = -ENOEXEC;
	}
	if (!error)
		error = unknown_take(image, &unknown);
	if (!error && unknown.count)
		error = known_write(image);
	unknown_end(t, &unknown);
	return error;
}

/* May a call be made of the last byte before the address and the first one there? */
static bool is_call_across(pid_t tid, uint64_t address)
{
	uint8_t bytes[2];

	return memory_read(tid, address - 1, bytes, sizeof(bytes)) == 0 && checksum_has_calls(bytes, sizeof(bytes));
}

struct range {
	struct mapping mapping;
	bool fixed; /* nobody else can write it */
};

static bool look_at_range(const struct mapping *mapping, void *context)
{
	struct range *range = context;

	if (mapping->begin < range->mapping.end && mapping->end > range->mapping.begin)
		range->fixed &= !mapping->writable && !mapping->shared;
	return range->fixed;
}

int attach_look(struct pt_tracer *t, struct image *image, struct tracee *tracee, uint64_t begin, uint64_t end)
{
	struct range range = {.mapping = {.begin = begin, .end = end}, .fixed = true};
	const struct code *code = code_look(t, tracee->tid, image, &range.mapping);
	int error = mapping_each_executable(tracee->tid, look_at_range, &range);
	bool plain = code && !code->count && !is_call_across(tracee->tid, begin) && !is_call_across(tracee->tid, end);

	range.mapping.code = code;
	if (!error && !range.fixed)
		error = -ENOEXEC;
	if (!error && plain)
		error = known_add(image, &range.mapping);
	code_forget(t);
	if (error || plain)
		return error;
	known_drop(image, begin, end);
	return attach_free(t, image, tracee);
}

void door_prepare(struct pt_tracer *t, pid_t pid)
{
	struct image left = {.reader = pid}; /* by another ptmon */
	struct unknown unknown = {0};

	if (!t->options.fast)
		return;
	if (handover_find(pid) != 1 || handover_read(&left) == 0) {
		cover_look(&left, pid);
		unknown_find(t, pid, &left, &unknown);
	}
	unknown_end(t, &unknown);
	free(left.sites);
}

/* Is all of it still what a tracer has mapped, and nothing between? */
static bool is_ours(pid_t pid)
{
	return mapping_is_anonymous(pid, FAST_DATA, FAST_DATA_SIZE) &&
	       mapping_is_anonymous(pid, FAST_CODE, FAST_CODE_SIZE) &&
	       !mapped_within(pid, FAST_DATA + FAST_DATA_SIZE, FAST_CODE);
}

struct image *attach_adopt(struct pt_tracer *t, struct tracee *tracee, int *error)
{
	struct image *image;

	*error = halt_process(t, tracee->group, tracee) ? 0 : -EAGAIN;
	/* Anybody may write the word by which it was found. */
	if (!*error && !is_ours(tracee->tid))
		*error = -EEXIST;
	if (*error)
		return NULL;
	image = image_begin(t, tracee);
	*error = image ? handover_read(image) : -ENOMEM;
	/* One may stand in a twin, behind a call that its thread sleeps in: it goes away when that comes. */
	if (*error == -EEXIST && breakpoint_any(t, tracee->group))
		*error = -EAGAIN;
	if (!*error)
		*error = ring_skip(image);
	if (!*error) {
		cover_look(image, tracee->tid);
		cover_leave_stubs(t, image, tracee);
		*error = requests_adopt(image);
	}
	if (!*error)
		*error = image_reset(t, image);
	if (*error && image) {
		image_destroy(t, image);
		return NULL;
	}
	return image;
}
