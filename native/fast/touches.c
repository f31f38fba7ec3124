/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Calls that could touch the memory of the fast path, for the filter, the stubs, and who looks at them (collide.c).
 * Numbers: as in ../syscalls/syscalls.c.
 */
#include "fast/fast.h"

static const struct {
	int16_t number[2]; /* x86_64, i386; -1: there is none */
	uint8_t touches;
} table[] = {
	{{9, 192}, FAST_TOUCHES_MMAP},	     /* mmap, mmap2 */
	{{-1, 90}, FAST_TOUCHES_OTHER},	     /* mmap, as it was once */
	{{25, 163}, FAST_TOUCHES_MREMAP},    /* mremap */
	{{12, 45}, FAST_TOUCHES_BREAK},	     /* brk */
	{{30, 397}, FAST_TOUCHES_SEGMENT},   /* shmat */
	{{-1, 117}, FAST_TOUCHES_OTHER},     /* ipc */
	{{158, 384}, FAST_TOUCHES_VDSO},     /* arch_prctl */
	{{11, 91}, FAST_TOUCHES_RANGE},	     /* munmap */
	{{10, 125}, FAST_TOUCHES_RANGE},     /* mprotect */
	{{329, 380}, FAST_TOUCHES_RANGE},    /* pkey_mprotect */
	{{28, 219}, FAST_TOUCHES_RANGE},     /* madvise */
	{{26, 144}, FAST_TOUCHES_RANGE},     /* msync */
	{{27, 218}, FAST_TOUCHES_RANGE},     /* mincore */
	{{149, 150}, FAST_TOUCHES_RANGE},    /* mlock */
	{{325, 376}, FAST_TOUCHES_RANGE},    /* mlock2 */
	{{150, 151}, FAST_TOUCHES_RANGE},    /* munlock */
	{{216, 257}, FAST_TOUCHES_RANGE},    /* remap_file_pages */
	{{237, 274}, FAST_TOUCHES_RANGE},    /* mbind */
	{{462, 462}, FAST_TOUCHES_RANGE},    /* mseal */
	{{151, 152}, FAST_TOUCHES_LOCK},     /* mlockall */
	{{160, 75}, FAST_TOUCHES_LIMIT},     /* setrlimit */
	{{302, 340}, FAST_TOUCHES_LIMIT_OF}, /* prlimit64 */
};

enum fast_touches fast_touches(enum abi abi, uint64_t number)
{
	for (unsigned int i = 0; abi <= ABI_I386 && i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].number[abi] >= 0 && (uint64_t)table[i].number[abi] == number)
			return table[i].touches;
	return FAST_TOUCHES_NOTHING;
}
