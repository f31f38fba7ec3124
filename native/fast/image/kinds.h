/* SPDX-License-Identifier: GPL-2.0-or-later
 * Kinds of calls, by their number: which are counted in stubs, which have to be seen in any case. */
#ifndef PT_FAST_KINDS_H
#define PT_FAST_KINDS_H

#include "state/tracer.h"

/* Does a stub count this call? */
bool kinds_counted(uint64_t number);
/* Does a stub note what it opens? */
bool kinds_opens(uint64_t number);
/* Does one say of a socket that it makes that it is one? */
bool kinds_bear(uint64_t number);
/* Is it made where a socket ends in a stub (ending.S)? */
bool kinds_ask(uint64_t number);
/* Or where one is connected there (attempt.S)? */
bool kinds_ask_of_attempts(uint64_t number);
/* Does it pass in a stub that only looks at it: to make sockets, or to connect them? */
bool kinds_pass(uint64_t number);
/* Does our filter stop each of them that comes from no stub? */
bool kinds_always_stop(const struct pt_tracer *t, uint64_t number);
/* May a site that makes it be replaced where there is a filter? */
bool kinds_replaced(uint64_t number);
/* May it let the program write its code? With PROT_WRITE and PROT_EXEC in argument 2 it has to stop. */
bool kinds_protect(uint64_t number);
/* May it change code, or bring some (changes.c)? The tracer has to see those where no filter shows them. */
bool kinds_change_code(uint64_t number);
/* And must it see them whatever their arguments are? They are rare. */
bool kinds_always_change_code(uint64_t number);

/* How a call could touch the memory of the fast path. */
enum fast_touches {
	FAST_TOUCHES_NOTHING,
	FAST_TOUCHES_RANGE,    /* argument 0 is an address, argument 1 a length */
	FAST_TOUCHES_MMAP,     /* the same, and argument 3 has MAP_* */
	FAST_TOUCHES_MREMAP,   /* argument 3 has MREMAP_*, argument 4 is a second address */
	FAST_TOUCHES_BREAK,    /* argument 0 is the heap's end */
	FAST_TOUCHES_SEGMENT,  /* argument 1 is an address */
	FAST_TOUCHES_VDSO,     /* arch_prctl(2) */
	FAST_TOUCHES_LIMIT,    /* argument 0 is the limit's number */
	FAST_TOUCHES_LIMIT_OF, /* argument 1 is that */
	FAST_TOUCHES_LOCK,     /* whatever its arguments are */
	FAST_TOUCHES_OTHER     /* the tracer has to look */
};
enum fast_touches kinds_touching(enum abi abi, uint64_t number);

/* Has the tracer to see this call where no filter shows it? It has to see those of its table, but for those that come
 * with an event of their own (clone); those that are emitted, held or refused; those that change code, or that could
 * touch the memory of the fast path (collide.c). */
bool kinds_watched(const struct pt_tracer *t, uint64_t number);

#endif
