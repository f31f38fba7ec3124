/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The door to the fast path (fast/README.md), which makes a process whose calls stop often count them inside of itself:
 * an accelerator over the stops, and never more. The core tells it what happens, and asks it what it has to know, by
 * the functions below; nobody but who creates the tracer knows more of it. Without it (struct pt_tracer.fast is NULL:
 * machines for which there are no stubs) all of them say what is true where every call stops.
 *
 * tracer.h includes it, behind the boundary's header, which has no guard for cffi's sake.
 */
#ifndef PT_FAST_DOOR_H
#define PT_FAST_DOOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "syscalls/syscalls.h"

struct code;
struct explain;
struct files;
struct frame;
struct group;
struct image;
struct pt_tracer;
struct sock_filter;
struct socket;
struct tracee;

/* What a call does to the code of its process: see fast/changes.c. */
enum change { CHANGE_NONE, CHANGE_BRINGS, CHANGE_SHAKES, CHANGE_REPLACES, CHANGE_ENDS };

/* What the time stamp counter was at a time of CLOCK_MONOTONIC. */
struct stamp {
	uint64_t tsc;
	int64_t time; /* ns */
};

/* What it keeps of a process. */
struct fast_group {
	struct image *image;	 /* what of it is in the process's memory, or NULL */
	uint32_t stops;		 /* calls that stopped, until its code was looked at */
	unsigned int changing;	 /* tracees in the middle of a call that changes its code */
	bool slow;		 /* it is not tried any more */
	bool free;		 /* its threads run under PTRACE_CONT though there is no filter (fast/attach.c) */
	bool clockless;		 /* nor is what it executes: a rdtsc would fault there (PR_SET_TSC) */
	int64_t collides_since;	 /* ns: a call of it waits for its memory to be given back (fast/collide.c); 0: none */
	struct explain *explain; /* what will be told of its code, or NULL (fast/count/explain.h) */
	uint32_t fallen;	 /* one bit for each pt_fallback that was reported of it */
	struct {
		uint32_t count; /* at code that calls have brought ... */
		int64_t since;	/* ... since then, ns */
	} looks;		/* fast/changes.c */
	struct {
		uint32_t count;	    /* that have failed, for threads were in the way */
		int64_t not_before; /* ns: the next one */
	} tries;		    /* to patch it (fast/fast.c) */
	struct {
		struct frame *list; /* signal frames that may return to code that is replaced */
		unsigned int count;
		bool lost;  /* there were more */
		bool taken; /* before that was changed a thread may have returned by one, and it has not been seen
			       elsewhere since */
	} returns;	    /* fast/patch/returns.c */
};

/* And of a thread. */
struct fast_tracee {
	enum change changes;   /* by the call that it is inside of */
	bool may_map;	       /* that call may bring code of its own to where our filter lets calls pass */
	bool halted;	       /* it was asked to stop (fast/patch/halt.c), and its stop waits for its turn */
	unsigned int requests; /* whose calls are not over; a handler may make one more meanwhile (fast/requests.c) */
	struct image *borrows; /* a child of vfork: it runs in the memory of this one */
	bool relocate; /* its code was patched while it did not stand: at its next stop it is looked at where it goes on
			*/
	bool relocated;		 /* that was at this stop */
	bool elsewhere;		 /* since the traps were written it was seen not to be in the bytes behind them */
	bool unnamed;		 /* its image does not know its thread pointer */
	uint64_t thread_pointer; /* as far as it is known, or 0 */
};

/* What becomes of a call that is about to be made. */
enum fast_entry {
	FAST_AT_STOPS,	/* it is counted at its stops */
	FAST_BY_ITSELF, /* it comes from a stub, which has counted it or will, or is part of a request */
	FAST_GOES_BACK	/* not now: it is made again, for something has to be got out of its way first */
};

/* What a table of fds says of one. */
enum fast_still {
	FAST_CHANGED, /* it may name something else by now */
	FAST_GOING,   /* another thread is about to close it, or has just done so */
	FAST_STANDS,
	FAST_SLOW /* it stands, but its calls have to stop */
};

/* And of the tracer's own. */
struct fast_tracer {
	struct image *images;	/* list */
	struct stamp stamps[3]; /* the last one, and two that are older: see fast/count/stamp.h */
	struct code *code;	/* list: system calls of code that was looked at (fast/image/code.h) */
	uint64_t code_key;	/* of checksums, or 0 */
	bool ending;		/* closes of sockets are being emitted (fast/count/endings.c) */
	uint32_t patrols;	/* rounds in which all images were looked at */
};

#define FILTER_PIECE 16 /* instructions that fast_ops.filter writes, at most */

struct fast_ops {
	/* Calls. The numbers of those that stubs count, the most frequent first; and where stubs are: calls from
	 * there pass the filter. */
	const uint16_t *calls;
	unsigned int call_count;
	uint32_t stubs_begin;
	uint32_t stubs_end;
	bool (*counts)(uint64_t number);
	bool (*passes)(uint64_t number); /* without being counted */
	bool (*shows_code)(uint64_t number);
	unsigned int (*filter)(struct sock_filter *program, enum abi abi, uint64_t number, uint32_t pass,
			       uint32_t stop);
	enum fast_entry (*entry)(struct pt_tracer *t, struct tracee *tracee, enum abi abi, uint64_t instruction,
				 uint64_t number, const uint64_t args[6]);
	void (*enters)(struct pt_tracer *t, struct tracee *tracee);
	bool (*wants_exit)(struct pt_tracer *t, struct tracee *tracee, uint64_t instruction);
	void (*left)(struct pt_tracer *t, struct tracee *tracee, uint64_t instruction, int64_t result);
	bool (*counts_itself)(const struct tracee *tracee, uint64_t instruction);

	/* Stops and signals. */
	void (*before_stop)(struct pt_tracer *t, struct tracee *tracee);
	bool (*requests)(struct pt_tracer *t, struct tracee *tracee, int signal);
	void (*before_signal)(struct pt_tracer *t, struct tracee *tracee, int signal);
	void (*step_back)(const struct pt_tracer *t, const struct tracee *tracee);
	bool (*wants_frame)(const struct pt_tracer *t, const struct tracee *tracee, int signal);
	void (*frame_built)(struct tracee *tracee, int signal);
	bool (*interrupted)(const struct tracee *tracee);

	/* Threads and processes. */
	void (*cloned)(struct pt_tracer *t, struct tracee *child, struct tracee *parent, uint64_t flags);
	void (*born)(struct pt_tracer *t, struct tracee *child);
	void (*left_alone)(struct tracee *child);
	void (*executed)(struct pt_tracer *t, struct tracee *tracee);
	bool (*is_taken)(const struct pt_tracer *t, const struct tracee *tracee);
	void (*exiting)(struct pt_tracer *t, struct tracee *tracee);
	void (*gone)(struct pt_tracer *t, struct tracee *tracee);
	void (*group_gone)(struct pt_tracer *t, struct group *group);
	void (*withdraw)(struct pt_tracer *t, struct tracee *tracee, enum pt_fallback reason);
	void (*hides)(struct pt_tracer *t, struct tracee *tracee);
	void (*explain)(struct pt_tracer *t, struct group *group);

	/* Attach and detach. */
	void (*prepare)(struct pt_tracer *t, pid_t pid);
	void (*attached)(struct pt_tracer *t, const struct group *group);
	bool (*is_request)(const struct pt_tracer *t, uint64_t instruction);
	bool (*lets_go)(const struct pt_tracer *t, const struct tracee *tracee);
	void (*detach)(struct pt_tracer *t);

	/* Time. */
	void (*drain)(struct pt_tracer *t);
	void (*patrol)(struct pt_tracer *t);
	void (*destroy)(struct pt_tracer *t);

	/* File descriptors. */
	uint32_t (*fd_look)(const struct files *files, unsigned int fd);
	bool (*fd_learnt)(struct pt_tracer *t, struct files *files, unsigned int fd, struct socket *socket,
			  uint32_t looked);
	void (*fd_stops)(const struct files *files, unsigned int fd);
	void (*fd_forgotten)(struct pt_tracer *t, struct files *files, unsigned int fd, struct socket *was);
	void (*fd_left)(const struct files *files, unsigned int fd, struct socket *was);
	void (*fds_forgotten)(const struct files *files, unsigned int first, unsigned int last);
	enum fast_still (*fd_still)(const struct files *files, unsigned int fd, bool socket);
	bool (*fd_busy)(const struct files *files, unsigned int fd);
	void (*table_gone)(struct files *files);
};

/* fast/door.c; on x86_64 alone. */
extern const struct fast_ops fast_path;

#endif
