/* SPDX-License-Identifier: GPL-2.0-only
 * Signal frames on a tracee's stacks: where its threads will go on when their handlers return. */
#ifndef PT_FAST_FRAMES_H
#define PT_FAST_FRAMES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct group;

/* Where a thread that would go on at an address with this in rax has to go on instead; 0: nowhere else. */
typedef uint64_t (*move_function)(const void *context, uint64_t address, int64_t result);

/* Moves the instruction pointers that are saved in the frames above the stopped thread's stack pointer. */
void frames_move(pid_t tid, uint64_t stack_pointer, move_function move, const void *context);

/* May a signal handler, which can't be looked at, return to an address between these two? */
bool frames_hide(const struct group *group, uint64_t begin, uint64_t end);

#endif
