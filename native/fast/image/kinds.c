/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Calls that could touch the memory of the fast path are looked at by the filter, by the stubs, and by who handles
 * their stops (collide.c). Numbers: as in ../../syscalls/syscalls.c.
 */
#include "fast/image/kinds.h"

#include <sys/syscall.h>

#include "calls/watch.h"
#include "fast/image/stub.h"
#include "syscalls/syscalls.h"

#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif

bool kinds_counted(uint64_t number)
{
	for (unsigned int i = 0; i < FAST_CALLS; i++)
		if (fast_calls[i] == number)
			return true;
	return false;
}

#define STUB_IS(name, ...) number == __NR_##name ||

bool kinds_opens(uint64_t number)
{
	return HOT_OPENS(STUB_IS) false;
}

bool kinds_bear(uint64_t number)
{
	return HOT_BIRTHS(STUB_IS) false;
}

bool kinds_ask(uint64_t number)
{
	switch (number) {
	case SYS_fstat:
	case SYS_getsockopt:
	case SYS_getsockname:
	case SYS_getpeername:
	case SYS_ioctl:
		return true;
	default:
		return false;
	}
}

bool kinds_ask_of_attempts(uint64_t number)
{
	return number == SYS_getpid || number == SYS_process_vm_readv || (kinds_ask(number) && number != SYS_ioctl);
}

bool kinds_pass(uint64_t number)
{
	return HOT_CONNECTS(STUB_IS) HOT_PAIRS(STUB_IS) number == SYS_socket;
}

bool kinds_always_stop(const struct pt_tracer *t, uint64_t number)
{
	/* What makes sockets stops by the filter of those that had none (calls/dry.c). */
	return kinds_counted(number) || number == SYS_connect || (kinds_pass(number) && t->second.program);
}

bool kinds_replaced(uint64_t number)
{
	return kinds_counted(number) || kinds_opens(number) || kinds_bear(number) || kinds_pass(number);
}

bool kinds_protect(uint64_t number)
{
	return number == SYS_mprotect || number == SYS_pkey_mprotect;
}

bool kinds_always_change_code(uint64_t number)
{
	return number == SYS_process_madvise || number == SYS_shmat || number == SYS_personality;
}

bool kinds_change_code(uint64_t number)
{
	switch (number) {
	case SYS_mmap:
	case SYS_mprotect:
	case SYS_pkey_mprotect:
	case SYS_mremap:
	case SYS_madvise:
		return true;
	default:
		return kinds_always_change_code(number);
	}
}

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

enum fast_touches kinds_touching(enum abi abi, uint64_t number)
{
	for (unsigned int i = 0; abi <= ABI_I386 && i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].number[abi] >= 0 && (uint64_t)table[i].number[abi] == number)
			return table[i].touches;
	return FAST_TOUCHES_NOTHING;
}

bool kinds_watched(const struct pt_tracer *t, uint64_t number)
{
	const struct syscall_entry *entry = syscall_find(ABI_NATIVE, number);

	if (watch_order(t, false, number) || kinds_touching(ABI_NATIVE, number) || kinds_change_code(number))
		return true;
	if (!entry || syscall_is_source(entry))
		return false;
	/* A child that is not followed is not to run in this memory (process/untraced.c). */
	return t->options.no_follow ||
	       (entry->rule != RULE_CLONE && entry->rule != RULE_CLONE3 && entry->rule != RULE_VFORK);
}
