/* SPDX-License-Identifier: GPL-2.0-only
 *
 * A tracee under PTRACE_SYSCALL stops at each call; under PTRACE_CONT at none. Without a filter there is nothing
 * between the two. So a process runs under PTRACE_CONT ("free") when all of its code is known: each syscall instruction
 * either makes a call that is of no interest, or jumps to a stub. A stub whose call has to stop lets its thread ask
 * (ask.S), and the tracer then follows that thread with PTRACE_SYSCALL to the end of the call.
 *
 * Code that comes later comes by mmap or mprotect with PROT_EXEC: these calls ask, too, and all code is looked at anew.
 * What a program generates by itself at run time (a JIT compiler) is not looked at: no such code is known to make
 * calls.
 */
#include "fast/attach.h"

#include <errno.h>
#include <stdlib.h>

#include "await.h"
#include "fast/asking.h"
#include "fast/code.h"
#include "fast/cover.h"
#include "fast/fast.h"
#include "fast/halt.h"
#include "fast/layout.h"
#include "fast/mapped.h"
#include "fast/moving.h"
#include "fast/patch.h"
#include "fast/ring.h"
#include "fast/table.h"

#define MAPPINGS_MOST 4096

struct list {
	struct mapping *mappings;
	unsigned int count;
	bool complete;
};

static bool add(const struct mapping *mapping, void *context)
{
	struct list *list = context;
	struct mapping *more;

	/* Our own, and generated code. */
	if (!mapping->inode || list->count == MAPPINGS_MOST)
		return true;
	more = realloc(list->mappings, (list->count + 1) * sizeof(*more));
	if (!more) {
		list->complete = false;
		return false;
	}
	list->mappings = more;
	more[list->count++] = *mapping;
	return true;
}

/* 0, or the first error. */
static int patch_all(struct pt_tracer *t, struct image *image, struct tracee *tracee, const struct list *list)
{
	int result = 0;

	for (unsigned int i = 0; i < list->count && result >= 0; i++) {
		result = cover_check(t, tracee, &list->mappings[i]);
		if (!result)
			result = patch_mapping(t, image, tracee, &list->mappings[i], PATCH_ALL, 0);
	}
	for (unsigned int i = 0; i < list->count && result >= 0; i++)
		if (!cover_holds(t, image, tracee, &list->mappings[i]))
			/* A breakpoint goes away when its thread comes. */
			result = image->occupied || await_any(t, tracee->group) ? -EAGAIN : -ENOEXEC;
	return result < 0 ? result : 0;
}

static int look_at_all(struct pt_tracer *t, pid_t pid, const struct image *image, struct list *list)
{
	int error;

	list->count = 0;
	error = code_each(pid, add, list);
	for (unsigned int i = 0; i < list->count && !error; i++)
		if (!code_look(t, pid, image, &list->mappings[i]))
			error = -ENOMEM;
	return error ? error : list->complete ? 0 : -ENOMEM;
}

int attach_free(struct pt_tracer *t, struct image *image, struct tracee *tracee)
{
	struct list list = {.complete = true};
	int error;

	/* A first look while the others run on: files that are large take some time, and are remembered. Then they
	 * stand, so that nobody maps more code between the look and the patch. */
	error = look_at_all(t, tracee->tid, image, &list);
	if (!error && !halt_process(t, tracee->group, tracee))
		error = -EAGAIN;
	if (!error)
		error = look_at_all(t, tracee->tid, image, &list);
	if (!error)
		cover_again(t, image, tracee);
	if (!error)
		error = patch_all(t, image, tracee, &list);
	free(list.mappings);
	if (!error && !image_add_threads(t, image))
		error = -EMLINK;
	if (!error && !tracee->group->free)
		error = moving_count_asked(t, tracee->group);
	tracee->group->free = !error;
	return error;
}

void fast_prepare(struct pt_tracer *t, pid_t pid)
{
	struct image left = {.reader = pid}; /* by another ptmon */
	struct list list = {.complete = true};

	if (!t->options.fast)
		return;
	if (table_find(pid) != 1 || table_read(&left) == 0) {
		cover_look(&left, pid);
		look_at_all(t, pid, &left, &list);
	}
	free(list.mappings);
	free(left.sites);
}

/* Is all of it still what a tracer has mapped, and nothing between? */
static bool is_ours(pid_t pid)
{
	return code_is_anonymous(pid, FAST_DATA, FAST_DATA_SIZE) && code_is_anonymous(pid, FAST_CODE, FAST_CODE_SIZE) &&
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
	*error = image ? table_read(image) : -ENOMEM;
	if (!*error)
		*error = ring_skip(image);
	if (!*error) {
		cover_look(image, tracee->tid);
		cover_leave_stubs(t, image, tracee);
		*error = asking_adopt(image);
	}
	if (!*error)
		*error = image_reset(t, image);
	if (*error && image) {
		image_destroy(t, image);
		return NULL;
	}
	return image;
}
