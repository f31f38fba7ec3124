/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the core tells the fast path, and asks it: see fast.h. */
#ifndef PT_DOOR_H
#define PT_DOOR_H

#include "state/tracer.h"

/* A call is about to be made (instruction: address behind its syscall instruction). What becomes of it? */
static inline enum fast_entry fast_entry(struct pt_tracer *t, struct tracee *tracee, enum abi abi, uint64_t instruction,
					 uint64_t number, const uint64_t args[6])
{
	return t->fast ? t->fast->entry(t, tracee, abi, instruction, number, args) : FAST_AT_STOPS;
}

/* Such a call is about to be made, and stops (tracee->call is it): it may change the program's code. */
static inline void fast_enters(struct pt_tracer *t, struct tracee *tracee)
{
	if (t->fast)
		t->fast->enters(t, tracee);
}

/* True: its exit-stop is wanted, to look at the program's code there. */
static inline bool fast_wants_exit(struct pt_tracer *t, struct tracee *tracee, uint64_t instruction)
{
	return t->fast && t->fast->wants_exit(t, tracee, instruction);
}

/* It has returned. */
static inline void fast_left(struct pt_tracer *t, struct tracee *tracee, uint64_t instruction, int64_t result)
{
	if (t->fast)
		t->fast->left(t, tracee, instruction, result);
}

/* Is this call made from a stub, which has counted it or will, or for a request? */
static inline bool fast_counts_itself(const struct pt_tracer *t, const struct tracee *tracee, uint64_t instruction)
{
	return t->fast && t->fast->counts_itself(tracee, instruction);
}

/* A stop of this tracee is about to be handled: what its process has counted until now comes first. */
static inline void fast_before_stop(struct pt_tracer *t, struct tracee *tracee)
{
	if (t->fast)
		t->fast->before_stop(t, tracee);
}

/* A signal-delivery-stop. True: it is a request to follow the next call of the thread, and there is no signal. */
static inline bool fast_requests(struct pt_tracer *t, struct tracee *tracee, int signal)
{
	return t->fast && t->fast->requests(t, tracee, signal);
}

/* A signal is about to be delivered. */
static inline void fast_before_signal(struct pt_tracer *t, struct tracee *tracee, int signal)
{
	if (t->fast)
		t->fast->before_signal(t, tracee, signal);
}

/* The same for a thread that is let go with it: it is not in the middle of a request any more. */
static inline void fast_step_back(const struct pt_tracer *t, const struct tracee *tracee)
{
	if (t->fast)
		t->fast->step_back(t, tracee);
}

/* Has the frame to be known that this signal's handler gets? Then a single step has to follow and, at the handler's
 * first instruction, fast_frame_built(). */
static inline bool fast_wants_frame(const struct pt_tracer *t, const struct tracee *tracee, int signal)
{
	return t->fast && t->fast->wants_frame(t, tracee, signal);
}

static inline void fast_frame_built(const struct pt_tracer *t, struct tracee *tracee, int signal)
{
	if (t->fast)
		t->fast->frame_built(tracee, signal);
}

/* A stop by PTRACE_INTERRUPT, of which the program is to see nothing. True: it has ended the tracee's call, which will
 * be made again. */
static inline bool fast_interrupted(const struct pt_tracer *t, const struct tracee *tracee)
{
	return t->fast && t->fast->interrupted(tracee);
}

/* The child exists, but has not run yet; flags are those of clone(2). parent is NULL where nobody has seen who made it.
 */
static inline void fast_cloned(struct pt_tracer *t, struct tracee *child, struct tracee *parent, uint64_t flags)
{
	if (t->fast)
		t->fast->cloned(t, child, parent, flags);
}

/* It stands in its first stop. */
static inline void fast_born(struct pt_tracer *t, struct tracee *child)
{
	if (t->fast)
		t->fast->born(t, child);
}

/* The child is not to be followed, and about to be let go. It may have a copy of its parent's stubs. */
static inline void fast_left_alone(struct pt_tracer *t, struct tracee *child)
{
	if (t->fast)
		t->fast->left_alone(child);
}

/* A new program is in place. */
static inline void fast_executed(struct pt_tracer *t, struct tracee *tracee)
{
	if (t->fast)
		t->fast->executed(t, tracee);
}

/* PTRACE_EVENT_EXIT: what it leaves half-way is counted. */
static inline void fast_exiting(struct pt_tracer *t, struct tracee *tracee)
{
	if (t->fast)
		t->fast->exiting(t, tracee);
}

/* It is no tracee any more. */
static inline void fast_gone(struct pt_tracer *t, struct tracee *tracee)
{
	if (t->fast)
		t->fast->gone(t, tracee);
}

/* Nor is any other of its group. */
static inline void fast_group_gone(struct pt_tracer *t, struct group *group)
{
	if (t->fast)
		t->fast->group_gone(t, group);
}

/* The process is to be as if there were no fast path, and stays so: why is reported. */
static inline void fast_withdraw(struct pt_tracer *t, struct tracee *tracee, enum pt_fallback reason)
{
	if (t->fast)
		t->fast->withdraw(t, tracee, reason);
}

/* After the call that it stands before nobody may read the process's memory. */
static inline void fast_hides(struct pt_tracer *t, struct tracee *tracee)
{
	if (t->fast)
		t->fast->hides(t, tracee);
}

/* What options.explain asks for is told of this process, and not again. */
static inline void fast_explain(struct pt_tracer *t, struct group *group)
{
	if (t->fast)
		t->fast->explain(t, group);
}

/* A process is about to be attached: its code is looked at, while it still runs. */
static inline void fast_prepare(struct pt_tracer *t, pid_t pid)
{
	if (t->fast)
		t->fast->prepare(t, pid);
}

/* Its threads are seized. They stand when this returns, so that whatever ends from now on is seen. */
static inline void fast_attached(struct pt_tracer *t, const struct group *group)
{
	if (t->fast)
		t->fast->attached(t, group);
}

/* Has the tracee's program something of its own where our filter lets calls pass? */
static inline bool fast_is_taken(const struct pt_tracer *t, const struct tracee *tracee)
{
	return t->fast && t->fast->is_taken(t, tracee);
}

/* Is this call part of a request? */
static inline bool fast_is_request(const struct pt_tracer *t, uint64_t instruction)
{
	return t->fast && t->fast->is_request(t, instruction);
}

/* The thread is about to be let go. False: not yet; it has made a request, and when it goes on that signal is the next
 * thing. */
static inline bool fast_lets_go(const struct pt_tracer *t, const struct tracee *tracee)
{
	return !t->fast || t->fast->lets_go(t, tracee);
}

/* All processes are about to be let go: they get their own code back. */
static inline void fast_detach(struct pt_tracer *t)
{
	if (t->fast)
		t->fast->detach(t);
}

/* Reads what all processes have counted until now. */
static inline void fast_drain(struct pt_tracer *t)
{
	if (t->fast)
		t->fast->drain(t);
}

/* At each tick: is their code as it was? */
static inline void fast_patrol(struct pt_tracer *t)
{
	if (t->fast)
		t->fast->patrol(t);
}

static inline void fast_destroy(struct pt_tracer *t)
{
	if (t->fast)
		t->fast->destroy(t);
}

/* What an fd is is about to be found out: what this returns is for fast_fd_learnt(). */
static inline uint32_t fast_fd_look(const struct pt_tracer *t, const struct files *files, int fd)
{
	return t->fast && fd >= 0 ? t->fast->fd_look(files, (unsigned int)fd) : 0;
}

/* It has been; NULL: no socket. False: that can't be kept now. */
static inline bool fast_fd_learnt(struct pt_tracer *t, struct files *files, unsigned int fd, struct socket *socket,
				  uint32_t looked)
{
	return !t->fast || t->fast->fd_learnt(t, files, fd, socket, looked);
}

/* All calls on it have to stop from now on. */
static inline void fast_fd_stops(const struct pt_tracer *t, const struct files *files, unsigned int fd)
{
	if (t->fast)
		t->fast->fd_stops(files, fd);
}

/* It may name something else from now on; was is what it named, or NULL. */
static inline void fast_fd_forgotten(struct pt_tracer *t, struct files *files, unsigned int fd, struct socket *was)
{
	if (t->fast)
		t->fast->fd_forgotten(t, files, fd, was);
}

/* was is what it named when that was learnt last; perhaps it has been closed since without a stop. */
static inline void fast_fd_left(const struct pt_tracer *t, const struct files *files, unsigned int fd,
				struct socket *was)
{
	if (t->fast)
		t->fast->fd_left(files, fd, was);
}

/* All of a range may name something else, whatever they have named, as far as the tracer does not know of it. Where the
 * table is unsure from now on, nothing is learnt by itself any more either. */
static inline void fast_fds_forgotten(const struct pt_tracer *t, const struct files *files, unsigned int first,
				      unsigned int last)
{
	if (t->fast)
		t->fast->fds_forgotten(files, first, last);
}

/* Does it still name what it did? */
static inline enum fast_still fast_fd_still(const struct pt_tracer *t, const struct files *files, unsigned int fd,
					    bool socket)
{
	return t->fast ? t->fast->fd_still(files, fd, socket) : FAST_STANDS;
}

/* Is a call on it under way that does not stop? */
static inline bool fast_fd_busy(const struct pt_tracer *t, const struct files *files, unsigned int fd)
{
	return t->fast && t->fast->fd_busy(files, fd);
}

static inline void fast_table_gone(const struct pt_tracer *t, struct files *files)
{
	if (t->fast)
		t->fast->table_gone(files);
}

#endif
