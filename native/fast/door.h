/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What stands behind the door (../state/door.h), each where it belongs in this folder; door.c hands it out.
 */
#ifndef PT_FAST_DOOR_C_H
#define PT_FAST_DOOR_C_H

#include "machine/registers.h"
#include "state/tracer.h"

/* A call stops before it is made (instruction: address behind its syscall instruction). True: its exit-stop is wanted,
 * to look at the program's code there. */
bool door_call_stops(struct pt_tracer *t, struct tracee *tracee, uint64_t instruction);
/* Any call that stops is about to be made: it may change the program's code. */
void door_call_enters(struct pt_tracer *t, struct tracee *tracee);
/* It has ended: the place for that look. */
void door_call_stopped(struct pt_tracer *t, struct tracee *tracee, uint64_t instruction, int64_t result);
/* A signal-delivery-stop. True: it is a request to follow the next call of the thread, and there is no signal. */
bool door_requests(struct pt_tracer *t, struct tracee *tracee, int signal);
/* A signal-delivery-stop of a signal that may have a handler: the thread is not in the middle of a request any more. */
void door_step_back(const struct pt_tracer *t, const struct tracee *tracee);
/* Is this call part of a request? */
bool door_is_request(const struct pt_tracer *t, uint64_t instruction);
/* It is about to be let go. False: not yet; it has made a request, and when it goes on that signal is the next thing.
 */
bool door_lets_go(const struct pt_tracer *t, const struct tracee *tracee);
/* A seccomp-stop of a call that stops only because it could not be counted in its stub then, and can now: it goes back.
 */
bool door_tries_again(struct pt_tracer *t, struct tracee *tracee, uint64_t instruction, uint64_t number);
/* A call is about to be made. True: not now, for the fast path has to get out of its way first: it is made again. */
bool door_collides(struct pt_tracer *t, struct tracee *tracee, enum abi abi, uint64_t number, const uint64_t args[6]);
/* It has returned. */
void door_mapped(struct pt_tracer *t, struct tracee *tracee);
/* Has the new program something of its own where the filter lets calls pass? */
bool door_is_taken(const struct pt_tracer *t, const struct tracee *tracee);
/* A syscall-exit-stop: is it the end of the call that was requested? */
void door_call_ended(struct tracee *tracee, uint64_t instruction, int64_t result);
/* Is this call made from a stub, which has counted it or will, or for a request? */
bool door_counts_itself(const struct tracee *tracee, uint64_t instruction);
/* A stop of this tracee is about to be handled: what its process has counted until now comes first. */
void door_before_stop(struct pt_tracer *t, struct tracee *tracee);
/* A signal is about to be delivered. */
void door_before_signal(struct pt_tracer *t, struct tracee *tracee, int signal);
/* The child exists, but has not run yet; flags are those of clone(2). parent is NULL where nobody has seen who made it.
 */
void door_cloned(struct pt_tracer *t, struct tracee *child, struct tracee *parent, uint64_t flags);
/* It stands in its first stop. */
void door_born(struct pt_tracer *t, struct tracee *child);
/* A new program is in place. */
void door_executed(struct pt_tracer *t, struct tracee *tracee);
/* PTRACE_EVENT_EXIT: what it leaves half-way is counted. */
void door_exiting(struct pt_tracer *t, struct tracee *tracee);
/* It is no tracee any more. */
void door_gone(struct pt_tracer *t, struct tracee *tracee);
/* The last thread of its group is gone. */
void door_group_gone(struct pt_tracer *t, struct group *group);
/* The process is to be as if there were no fast path, and stays so: why is reported. */
void door_withdraw(struct pt_tracer *t, struct tracee *tracee, enum pt_fallback reason);
/* After the call that it stands before nobody may read the process's memory. */
void door_hides(struct pt_tracer *t, struct tracee *tracee);
/* A process is about to be attached: its code is looked at, while it still runs. */
void door_prepare(struct pt_tracer *t, pid_t pid);
/* Its threads are seized. They stand when this returns, so that whatever ends from now on is seen. */
void door_attached(struct pt_tracer *t, const struct group *group);
/* A stop by PTRACE_INTERRUPT, of which the program is to see nothing. True: it has ended the tracee's call, which will
 * be made again. */
bool door_interrupted(const struct tracee *tracee);
/* All processes are about to be let go: they get their own code back. */
void door_detach(struct pt_tracer *t);
/* A child that is not to be followed is about to be let go, with what it has of its parent's stubs. */
void door_leave(struct tracee *child);
/* Reads what all processes have counted until now. */
void door_drain(struct pt_tracer *t);
/* At each tick: is their code as it was? */
void door_patrol(struct pt_tracer *t);
void door_destroy(struct pt_tracer *t);

/* What is known of fds. */
uint32_t door_look(const struct files *files, unsigned int fd);
bool door_learn(struct pt_tracer *t, struct files *files, unsigned int fd, struct socket *socket, uint32_t looked);
void door_stop(const struct files *files, unsigned int fd);
void door_forget(struct pt_tracer *t, struct files *files, unsigned int fd, struct socket *was);
void door_left(const struct files *files, unsigned int fd, struct socket *was);
void door_forget_range(const struct files *files, unsigned int first, unsigned int last);
enum fast_still door_still(const struct files *files, unsigned int fd, bool socket);
bool door_busy(const struct files *files, unsigned int fd);
void door_table_gone(struct files *files);

#endif
