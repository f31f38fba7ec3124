/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fast/effect.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "fast/image/kinds.h"
#include "fast/image/layout.h"
#include "fast/image/maps.h"
#include "machine/memory.h"
#include "machine/proc_path.h"

#define HUGE_PAGE (1ull << 30)
#define PAGE 4096
#define LOW_BEGIN 0x42000000u /* from here on, or from some place before it, the kernel places MAP_32BIT ... */
#define PADDING (4u << 20)    /* ... and may ask for so much more, to align it */
#define REMAP_FIXED 2	      /* MREMAP_FIXED */
#define IPC_SHMAT 21
#define I386_OLD_MMAP 90
#define I386_IPC 117
#define MAP_VDSO_FIRST 0x2001 /* ARCH_MAP_VDSO_X32, _32, _64 */
#define MAP_VDSO_LAST 0x2003

static bool is_near(uint64_t begin, uint64_t length)
{
	/* A begin that is no multiple of pages may be rounded up. */
	return begin < FAST_END && (length > FAST_END || begin + length > FAST_DATA - PAGE);
}

/* What a mapping takes in truth: of huge pages it is so many whole ones. */
static uint64_t mapped_length(const struct tracee *tracee, const uint64_t args[6])
{
	uint64_t page = args[3] & MAP_HUGETLB ? HUGE_PAGE : PAGE;
	struct stat about;
	char path[PROC_PATH], name[24];

	snprintf(name, sizeof(name), "fd/%d", (int)args[4]);
	if (!(args[3] & MAP_ANONYMOUS) && proc_path(path, tracee->tid, name) == 0 && stat(path, &about) == 0 &&
	    (uint64_t)about.st_blksize > page)
		page = (uint64_t)about.st_blksize; /* of hugetlbfs: its page */
	return args[1] > UINT64_MAX - page ? UINT64_MAX : args[1] + page - 1;
}

static enum effect of_mmap(const struct tracee *tracee, enum abi abi, const uint64_t args[6])
{
	const bool fixed = args[3] & (MAP_FIXED | MAP_FIXED_NOREPLACE);
	const uint64_t length = mapped_length(tracee, args);

	if ((args[0] || fixed) && is_near(args[0], length))
		return EFFECT_MAPS;
	/* It may grow down to there without a call. */
	if (args[3] & MAP_GROWSDOWN && args[0] && args[0] <= UINT32_MAX)
		return EFFECT_MAPS;
	if (abi != ABI_NATIVE && !fixed)
		return EFFECT_MAY_MAP;
	if (!(args[3] & MAP_32BIT) || fixed)
		return EFFECT_NOTHING;
	/* The lowest place that is large enough. */
	return mapped_gap(tracee->tid, LOW_BEGIN, FAST_DATA, length + PADDING) ? EFFECT_MAY_MAP : EFFECT_MAPS;
}

/* i386: the arguments are in memory. Another thread may change them, so the result is looked at in any case. */
static enum effect of_old_mmap(const struct tracee *tracee, uint64_t address)
{
	uint32_t words[6] = {0};
	uint64_t args[6];

	if (memory_read(tracee->tid, address, words, sizeof(words)) < 0)
		return EFFECT_MAY_MAP;
	for (int i = 0; i < 6; i++)
		args[i] = words[i];
	return of_mmap(tracee, ABI_COMPAT, args) == EFFECT_MAPS ? EFFECT_MAPS : EFFECT_MAY_MAP;
}

static enum effect of_mremap(enum abi abi, const uint64_t args[6])
{
	if (is_near(args[0], args[1]) || is_near(args[0], args[2]) ||
	    (args[3] & REMAP_FIXED && is_near(args[4], args[2])))
		return EFFECT_MAPS;
	return abi != ABI_NATIVE ? EFFECT_MAY_MAP : EFFECT_NOTHING;
}

/* An address that is named. How much will be there is not known. */
static enum effect of_address(enum abi abi, uint64_t address)
{
	if (address && address < FAST_END)
		return EFFECT_MAPS;
	return abi != ABI_NATIVE ? EFFECT_MAY_MAP : EFFECT_NOTHING;
}

static bool is_room(uint64_t resource)
{
	return (uint32_t)resource == RLIMIT_AS || (uint32_t)resource == RLIMIT_DATA;
}

enum effect effect_of(const struct tracee *tracee, enum abi abi, uint64_t number, const uint64_t args[6])
{
	switch (kinds_touching(abi, number)) {
	case FAST_TOUCHES_RANGE:
		return is_near(args[0], args[1]) ? EFFECT_TOUCHES : EFFECT_NOTHING;
	case FAST_TOUCHES_MMAP:
		return of_mmap(tracee, abi, args);
	case FAST_TOUCHES_MREMAP:
		return of_mremap(abi, args);
	case FAST_TOUCHES_BREAK:
		/* From a heap that begins before; one that begins behind is taken for that, too. */
		return args[0] > FAST_DATA - 2 * PAGE && args[0] <= UINT32_MAX ? EFFECT_MAPS : EFFECT_NOTHING;
	case FAST_TOUCHES_SEGMENT:
		return of_address(abi, args[1]);
	case FAST_TOUCHES_VDSO:
		return args[0] >= MAP_VDSO_FIRST && args[0] <= MAP_VDSO_LAST ? of_address(abi, args[1])
									     : EFFECT_NOTHING;
	case FAST_TOUCHES_LIMIT:
		return args[1] && is_room(args[0]) ? EFFECT_TAKES_ROOM : EFFECT_NOTHING;
	case FAST_TOUCHES_LIMIT_OF:
		return args[2] && is_room(args[1]) ? EFFECT_TAKES_ROOM : EFFECT_NOTHING;
	case FAST_TOUCHES_LOCK:
		return EFFECT_TAKES_ROOM;
	case FAST_TOUCHES_OTHER:
		if (number == I386_OLD_MMAP)
			return of_old_mmap(tracee, args[0]);
		return number == I386_IPC && (args[0] & 0xffff) == IPC_SHMAT ? of_address(abi, args[4])
									     : EFFECT_NOTHING;
	default:
		return EFFECT_NOTHING;
	}
}
