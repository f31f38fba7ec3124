/* SPDX-License-Identifier: GPL-2.0-or-later
 * Signal frames on a tracee's stacks: where its threads will go on when their handlers return. */
#ifndef PT_FAST_SIGNAL_FRAMES_H
#define PT_FAST_SIGNAL_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "fast/patch/stacks.h"

#define FRAMES_MOST 16384 /* that are looked at; no program has so many handlers under way */

/* What a signal frame says. */
struct frame {
	uint64_t at;	      /* address of the saved instruction pointer */
	uint64_t instruction; /* that pointer */
	uint64_t stack;	      /* and the saved stack pointer */
	int64_t result;	      /* rax */
	uint64_t to;	      /* where it has to go on instead */
	pid_t tid;	      /* the thread, as far as that can be told */
	bool looked_at;	      /* by its handler: it is not to be changed */
};

struct frames {
	struct frame *list;
	unsigned int count;
};

/* Where a thread that would go on at an address with this in rax has to go on instead; 0: nowhere else. */
typedef uint64_t (*move_function)(const void *context, uint64_t address, int64_t result);

/* Calls visit for each frame in these words, of which the first lies at this address, until it returns an error, which
 * is returned. It looks at nothing but the words. */
int signal_frames_each(const uint64_t *words, size_t count, uint64_t address,
		       int (*visit)(void *context, const struct frame *frame), void *context);

/* All frames above the stack pointers that move wants elsewhere. The threads must stand. The caller frees
 * frames->list. 0, or -errno, as stacks_look() and stacks_read() say: not all can be known. */
int signal_frames_find(pid_t pid, struct stack_pointer *pointers, unsigned int count, move_function move,
		       const void *context, struct frames *frames);
/* Is one still there, as it was? 1, 0, or what stacks_peek() says. */
int signal_frames_stands(pid_t tid, const struct frame *frame);
/* Lets one go on at frame->to, if it is still there. */
bool signal_frames_put(pid_t tid, const struct frame *frame);

#endif
