/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The fast path, as the rest of the core sees it: an accelerator over the stops. A process whose calls stop often gets
 * code that counts them inside of it (README.md here). What is not counted there stops as before.
 *
 * On architectures without stubs none of it does anything (none.c).
 */
#ifndef PT_FAST_H
#define PT_FAST_H

#include "machine/registers.h"
#include "state/tracer.h"

/* The numbers of the calls that stubs count, the most frequent first; -1 past the last. */
int fast_call(unsigned int index);
bool fast_counts(uint64_t number);

/* A call stops before it is made (instruction: address behind its syscall instruction). True: its exit-stop is wanted,
 * to look at the program's code there. */
bool fast_call_stops(struct pt_tracer *t, struct tracee *tracee, uint64_t instruction);
/* May this call let the program write its code? With PROT_WRITE and PROT_EXEC in argument 2 it has to stop. */
bool fast_shows_code(uint64_t number);
/* Any call that stops is about to be made: it may change the program's code. */
void fast_call_enters(struct pt_tracer *t, struct tracee *tracee);
/* It has ended: the place for that look. */
void fast_call_stopped(struct pt_tracer *t, struct tracee *tracee, uint64_t instruction, int64_t result);
/* A signal-delivery-stop. True: the thread has only asked for its next call to be followed, and there is no signal. */
bool fast_asks(struct pt_tracer *t, struct tracee *tracee, int signal);
/* A signal-delivery-stop of a signal that may have a handler: the thread is not in the middle of asking any more. */
void fast_step_back(const struct pt_tracer *t, const struct tracee *tracee);
/* Is this call made to ask? */
bool fast_is_asking(const struct pt_tracer *t, uint64_t instruction);
/* It is about to be let go. False: not yet; it has asked, and when it goes on that signal is the next thing. */
bool fast_lets_go(const struct pt_tracer *t, const struct tracee *tracee);
/* A seccomp-stop of a call that stops only because it could not be counted in its stub then, and can now: it goes back.
 */
bool fast_tries_again(struct pt_tracer *t, struct tracee *tracee, uint64_t instruction, uint64_t number);
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
enum fast_touches fast_touches(enum abi abi, uint64_t number);
/* A call is about to be made. True: not now, for the fast path has to get out of its way first: it is made again. */
bool fast_collides(struct pt_tracer *t, struct tracee *tracee, enum abi abi, uint64_t number, const uint64_t args[6]);
/* It has returned. */
void fast_mapped(struct pt_tracer *t, struct tracee *tracee);
/* Has the new program something of its own where the filter lets calls pass? */
bool fast_is_taken(const struct pt_tracer *t, const struct tracee *tracee);
/* A syscall-exit-stop: is it the end of the call that was asked about? */
void fast_call_ended(struct tracee *tracee, uint64_t instruction, int64_t result);
/* Is this call made from a stub, which has counted it or will, or to ask? */
bool fast_counts_itself(const struct tracee *tracee, uint64_t instruction);
/* A stop of this tracee is about to be handled: what its process has counted until now comes first. */
void fast_before_stop(struct pt_tracer *t, struct tracee *tracee);
/* A signal is about to be delivered. */
void fast_before_signal(struct pt_tracer *t, struct tracee *tracee, int signal);
/* Is the frame that this signal builds to be known? Then a single step has to follow, and, at the handler's first
 * instruction, fast_frame_built(). */
bool fast_wants_frame(const struct pt_tracer *t, const struct tracee *tracee, int signal);
void fast_frame_built(struct tracee *tracee, int signal);
/* The child exists, but has not run yet; flags are those of clone(2). */
void fast_cloned(struct pt_tracer *t, struct tracee *child, struct tracee *parent, uint64_t flags);
/* The same for a child whose parent was not seen to make it. */
void fast_orphaned(struct tracee *child);
/* It stands in its first stop. */
void fast_born(struct pt_tracer *t, struct tracee *child);
/* A new program is in place. */
void fast_executed(struct pt_tracer *t, struct tracee *tracee);
/* PTRACE_EVENT_EXIT: what it leaves half-way is counted. */
void fast_exiting(struct pt_tracer *t, struct tracee *tracee);
/* It is no tracee any more. */
void fast_gone(struct pt_tracer *t, struct tracee *tracee);
/* The last thread of its group is gone. */
void fast_group_gone(struct pt_tracer *t, struct group *group);
/* The process is to be as if there were no fast path, and stays so: why is told. */
void fast_withdraw(struct pt_tracer *t, struct tracee *tracee, enum pt_fallback reason);
/* After the call that it stands before nobody may read the process's memory. */
void fast_hides(struct pt_tracer *t, struct tracee *tracee);
/* This thread is about to get an fd table of its own. True: it has one already, for nobody shares it. */
void fast_unshares(struct pt_tracer *t, struct tracee *tracee);
/* A process is about to be attached: its code is looked at, while it still runs. */
void fast_prepare(struct pt_tracer *t, pid_t pid);
/* Its threads are seized. They stand when this returns, so that whatever ends from now on is seen. */
void fast_attached(struct pt_tracer *t, const struct group *group);
/* A stop that was asked for (PTRACE_INTERRUPT): the program is to see nothing of it. True: its call, which has
 * failed for it, will be made again. */
bool fast_interrupted(const struct tracee *tracee);
/* All processes are about to be let go: they get their own code back. */
void fast_detach(struct pt_tracer *t);
/* A child that is not to be followed is about to be let go, with what it has of its parent's stubs. */
void fast_leave(struct tracee *child);
/* Reads what all processes have counted until now. */
void fast_drain(struct pt_tracer *t);
/* At each tick: is their code as it was? */
void fast_patrol(struct pt_tracer *t);
void fast_destroy(struct pt_tracer *t);

/* fast/slots.h, as files.c and rows.c need it. */
bool fast_learn(struct pt_tracer *t, struct files *files, unsigned int fd, struct socket *socket);
void fast_stop(const struct files *files, unsigned int fd);
void fast_forget(struct pt_tracer *t, struct files *files, unsigned int fd, struct socket *was);
enum fast_still { FAST_CHANGED, FAST_STANDS, FAST_SLOW /* it stands, but its calls have to stop */ };
enum fast_still fast_still(const struct files *files, unsigned int fd, bool socket);
bool fast_busy(const struct files *files, unsigned int fd);
void fast_table_gone(struct files *files);

#endif
