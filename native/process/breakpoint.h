/* SPDX-License-Identifier: GPL-2.0-or-later
 * Breakpoints in tracees' code: where threads are met (meet.h). */
#ifndef PT_BREAKPOINT_H
#define PT_BREAKPOINT_H

#include "machine/registers.h"
#include "state/tracer.h"

#if defined(__x86_64__)
#define BREAKPOINTS true
#else
#define BREAKPOINTS false /* none is ever put */
#endif
#define BREAKPOINT_BYTE 0xcc /* int3 */
#define BREAKPOINT_CODE 6    /* bytes of cmp rax, imm32 */

struct breakpoint {
	struct breakpoint *next;
	const struct group *group;
	uint64_t address;
	uint8_t code[BREAKPOINT_CODE]; /* what stands there, without it */
	unsigned int awaited;	       /* threads */
};

struct breakpoint *breakpoint_find(const struct pt_tracer *t, const struct group *group, uint64_t address);
/* The same, also of another group that runs in the same memory. */
struct breakpoint *breakpoint_at(const struct pt_tracer *t, const struct group *group, uint64_t address);
/* Is there one in the group's code? */
bool breakpoint_any(const struct pt_tracer *t, const struct group *group);
/* Can this thread run into an int3 of ptmon's without its program seeing anything of that? */
bool breakpoint_may_trap(struct tracee *tracee);
/* One more thread waits at this address. NULL: there can be none. */
struct breakpoint *breakpoint_put(struct pt_tracer *t, struct tracee *tracee, uint64_t address);
/* One thread less waits for it, or it is NULL. tid: a tracee of the process. */
void breakpoint_release(struct pt_tracer *t, struct breakpoint *breakpoint, pid_t tid);
/* The program's own byte is put back; and it is forgotten. */
void breakpoint_take_away(const struct breakpoint *breakpoint, pid_t tid);
void breakpoint_drop(struct pt_tracer *t, struct breakpoint *breakpoint);
/* Does to these registers what the instruction under it would have done. False: it is none of those that can be done
 * so. */
bool breakpoint_do_instead(pid_t tid, const struct breakpoint *breakpoint, struct registers *regs);
/* A fork has copied the memory, with the breakpoints: they are taken out of the child's, which has not run yet. */
void breakpoint_forked(struct pt_tracer *t, pid_t child);
/* The memory of this group is gone, or its last thread. */
void breakpoint_end(struct pt_tracer *t, const struct group *group);
/* Code of the group that was read from begin on, as it is without them. */
void breakpoint_hide(const struct pt_tracer *t, const struct group *group, uint64_t begin, uint8_t *code, size_t size);

#endif
