/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A process that runs free may execute nothing but what is known (attach.c). Most calls that bring code bring it where
 * nobody executes anything yet: it is looked at when the call has ended (CHANGE_BRINGS). If other threads may just be
 * executing what changes, then all stop at their calls from before it to after it (CHANGE_SHAKES). What may change at
 * any time from then on can't be known, and who makes code writable wants to see and change the program's own bytes:
 * before that the jumps are taken back, for good (CHANGE_ENDS). While a new program is put in place (CHANGE_REPLACES)
 * there is nothing that could be compared.
 */
#include "fast/changes.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#include "fast/attach.h"
#include "fast/door.h"
#include "fast/image/kinds.h"
#include "fast/image/known.h"
#include "fast/patch/unseen.h"
#include "machine/memory.h"
#include "process/tracee.h"

#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif

/* To look at new code costs more than to stop at some calls. So a program that brings code so often stays at stops. */
#define LOOKS_MOST 200 /* in ... */
#define LOOKS_NS NSEC_PER_SEC
#define LOOK_AT_GENERATED 4 /* for so many stands one at what is no file: such a program does nothing else, often */

/* The kernel takes whole pages. */
static uint64_t page_of(uint64_t address)
{
	return address & ~(uint64_t)(MEMORY_PAGE - 1);
}

static uint64_t end_of(uint64_t address, uint64_t size)
{
	return page_of(address + size + MEMORY_PAGE - 1);
}

static enum change if_known(const struct image *image, uint64_t begin, uint64_t size, enum change change)
{
	return size && known_touches(image, begin, begin + size) ? change : CHANGE_NONE;
}

static enum change change_of_mmap(const struct image *image, const uint64_t args[6])
{
	const uint64_t type = args[3] & MAP_TYPE;

	if (!(args[2] & PROT_EXEC))
		return CHANGE_NONE;
	if (args[2] & PROT_WRITE || type != MAP_PRIVATE)
		return CHANGE_ENDS;
	return args[3] & MAP_FIXED && if_known(image, args[0], args[1], CHANGE_SHAKES) ? CHANGE_SHAKES : CHANGE_BRINGS;
}

static bool shows_jumps(const struct image *image, const uint64_t args[6])
{
	return known_is_patched(image, page_of(args[0]), end_of(args[0], args[1]));
}

static enum change change_of_mprotect(const struct image *image, const uint64_t args[6])
{
	if (args[2] & PROT_EXEC)
		return args[2] & PROT_WRITE ? CHANGE_ENDS : CHANGE_BRINGS;
	return args[2] & PROT_WRITE && shows_jumps(image, args) ? CHANGE_ENDS : CHANGE_NONE;
}

static bool is_drop(uint64_t advice)
{
	return advice == MADV_DONTNEED || advice == MADV_DONTNEED_LOCKED;
}

static enum change change_of(const struct image *image, const struct call *call)
{
	const uint64_t *args = call->args;

	switch (call->number) {
	case SYS_mmap:
		return change_of_mmap(image, args);
	case SYS_mprotect:
	case SYS_pkey_mprotect:
		return change_of_mprotect(image, args);
	case SYS_mremap:
		return if_known(image, args[0], args[1], CHANGE_SHAKES);
	case SYS_madvise:
		return is_drop(args[2]) ? if_known(image, args[0], args[1], CHANGE_SHAKES) : CHANGE_NONE;
	case SYS_process_madvise:
		return is_drop(args[3]) ? CHANGE_SHAKES : CHANGE_NONE;
	case SYS_execve:
	case SYS_execveat:
		return CHANGE_REPLACES;
	case SYS_shmat:
		return args[2] & SHM_EXEC ? CHANGE_ENDS : CHANGE_NONE;
	case SYS_personality:
		return (uint32_t)args[0] != UINT32_MAX && args[0] & READ_IMPLIES_EXEC ? CHANGE_ENDS : CHANGE_NONE;
	default:
		return CHANGE_NONE;
	}
}

/* What is not known any more once the call is made. */
static void forget(struct image *image, const struct call *call)
{
	const uint64_t *args = call->args;

	if (call->number == SYS_process_madvise)
		return known_drop(image, 0, UINT64_MAX);
	known_drop(image, page_of(args[0]), end_of(args[0], args[1]));
	if (call->number == SYS_mremap && args[3] & MREMAP_FIXED)
		known_drop(image, page_of(args[4]), end_of(args[4], args[2]));
}

/* From now on all threads stop at their calls, wherever they make them. A thread that was sent PTRACE_INTERRUPT
 * executes nothing more of its program, though it may take a while until its stop is seen; and one that is born
 * meanwhile begins with a stop. */
static void shake(struct pt_tracer *t, struct tracee *tracee)
{
	if (!tracee->group->fast.free)
		return;
	/* First: who stops meanwhile goes on by PTRACE_SYSCALL. */
	tracee->group->fast.free = false;
	unseen_end(t, tracee);
}

/* Will the program be able to write where jumps stand? */
static bool is_shown(const struct image *image, const struct call *call)
{
	return kinds_protect(call->number) && shows_jumps(image, call->args);
}

void door_call_enters(struct pt_tracer *t, struct tracee *tracee)
{
	struct image *image = tracee->group->fast.image;
	enum change change;

	changes_end(tracee);
	if (!image || image->stage >= IMAGE_WITHDRAWN || tracee->fast.borrows || tracee->call.abi != ABI_NATIVE)
		return;
	change = change_of(image, &tracee->call);
	if (change == CHANGE_ENDS && (tracee->group->fast.free || is_shown(image, &tracee->call)))
		door_withdraw(t, tracee, PT_FALLBACK_CODE);
	if (change == CHANGE_NONE || change == CHANGE_ENDS || !image->by_request)
		return;
	tracee->fast.changes = change;
	tracee->group->fast.changing++;
	if (change == CHANGE_SHAKES) {
		shake(t, tracee);
		forget(image, &tracee->call);
	}
}

void changes_end(struct tracee *tracee)
{
	if (tracee->fast.changes == CHANGE_NONE)
		return;
	tracee->fast.changes = CHANGE_NONE;
	tracee->group->fast.changing--;
}

static bool looks_too_often(const struct pt_tracer *t, const struct tracee *tracee)
{
	const struct call *call = &tracee->call;
	struct group *group = tracee->group;

	if (t->now - group->fast.looks.since > LOOKS_NS) {
		group->fast.looks.since = t->now;
		group->fast.looks.count = 0;
	}
	group->fast.looks.count += call->number == SYS_mmap && !(call->args[3] & MAP_ANONYMOUS) ? 1 : LOOK_AT_GENERATED;
	return group->fast.looks.count > LOOKS_MOST;
}

int changes_made(struct pt_tracer *t, struct tracee *tracee, int64_t result)
{
	const enum change change = tracee->fast.changes;
	const bool failed = result < 0 && result > -4096;
	struct group *group = tracee->group;
	uint64_t begin, end;

	changes_end(tracee);
	if (change == CHANGE_NONE || change == CHANGE_REPLACES || !group->fast.image || group->fast.slow)
		return 0;
	if (looks_too_often(t, tracee))
		return -ENOEXEC;
	/* The last one of those that are under way looks at what has become of all. */
	if (change == CHANGE_SHAKES)
		return group->fast.changing ? 0 : attach_free(t, group->fast.image, tracee);
	begin = tracee->call.number == SYS_mmap ? (uint64_t)result : tracee->call.args[0];
	end = end_of(begin, tracee->call.args[1]);
	if (failed)
		return 0;
	if (group->fast.free)
		return attach_look(t, group->fast.image, tracee, page_of(begin), end);
	known_drop(group->fast.image, page_of(begin), end);
	return 0;
}
