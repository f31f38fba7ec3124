/* SPDX-License-Identifier: GPL-2.0-or-later
 * The memory of a tracee's stacks, and what of it can be read without waiting for anybody. All threads must stand. */
#ifndef PT_FAST_STACKS_H
#define PT_FAST_STACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define STACKS_DEPTH (8u << 20)	   /* bytes above a stack pointer that are of interest: the usual limit of a stack */
#define STACKS_LARGEST (64u << 20) /* bytes that are read at most, of all stacks together */

/* Where the stack of a thread goes on. */
struct stack_pointer {
	uint64_t address;
	pid_t tid;
};

struct stack_range {
	uint64_t begin;
	uint64_t end;
};

/* Ranges of memory in which frames may lie, none of them twice, in order. */
struct stacks {
	pid_t pid;
	struct stack_range *ranges;
	unsigned int count;
	uint64_t cost; /* bytes that have been read, or what takes as long */
};

/* The ranges above these pointers, which it sorts, each to the end of its mapping but no further than
 * STACKS_DEPTH. The caller frees stacks->ranges. 0; -ENOTSUP: a stack lies in memory that others write, too, or that is
 * no memory of its own; -errno. */
int stacks_look(struct stacks *stacks, struct stack_pointer *pointers, unsigned int count);

/* Calls visit for each piece of them that holds anything: the words at this address. Memory that was never written
 * holds none. visit's error ends it. 0; -E2BIG: it is more than STACKS_LARGEST; -EBUSY: userfaultfd(2) guards it;
 * -errno. */
int stacks_read(struct stacks *stacks,
		int (*visit)(void *context, uint64_t address, const uint64_t *words, size_t count), void *context);

/* Reads a few bytes. 0; -EFAULT: they are not there; -EBUSY: to write there may wait. */
int stacks_peek(pid_t tid, uint64_t address, void *to, size_t size);

#endif
