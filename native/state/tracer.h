/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The state of the core. Everything hangs on struct pt_tracer; there are no globals.
 *
 *   tracee (a thread, by tid) -> group (its thread group, what users call the process)
 *                             -> files (its fd table, which CLONE_FILES shares) -> socket (by inode) -> rows
 */
#ifndef PT_TRACER_H
#define PT_TRACER_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "ptmon_api.h"
#include "state/fast.h"
#include "syscalls/syscalls.h"

#define NSEC_PER_SEC 1000000000LL
#define HASH_SIZE 4096 /* a power of two */
#define FOUND_MOST 1024

#define CALL_NUMBERS 1024 /* numbers from here on can't be watched, nor refused: no ABI has so many calls */

struct denial;
struct image;
struct order_key;
struct question;
struct socket;
struct tracee;

/* Every tracee of one tgid. Ends with its last thread. */
struct group {
	pid_t tgid;
	pid_t parent;
	unsigned int threads;	/* tracees that point here */
	bool counted;		/* --only: is this the program that was asked for? */
	bool told;		/* Python knows of it */
	struct tracee *held;	/* stands before a seccomp(TSYNC) until no thread runs unwatched (closely.c) */
	unsigned int unwatched; /* threads that it waits for */
	uint32_t warned;	/* one bit for each pt_reason that was told of it */
	struct fast_group fast;
	struct group *shares; /* it runs in the memory of that one (CLONE_VM without CLONE_THREAD), until its execve */
	unsigned int sharers; /* groups that do so in its memory */
	bool hidden;	      /* it may not be looked at: its fds are not known but by asking (question.c) */
};

/* Why an fd may come to name something else without a call that is seen: bits. */
enum unsure {
	UNSURE_RINGS = 1,      /* io_uring closes and installs fds by itself */
	UNSURE_SUPERVISED = 2, /* who answers its calls may put fds in their places (seccomp_unotify(2), ADDFD) */
	UNSURE_SHARED = 4      /* a process that is not traced has the same table */
};

#define CHANGES_KEPT 64

struct fd_range {
	unsigned int first;
	unsigned int last;
};

/* One fd table, as far as it is known: fd -> socket. See files.c. */
struct files {
	unsigned int users; /* tracees that point here */
	unsigned int live;  /* those of them that have not begun to exit */
	int pidfd;	    /* of pidfd_tid, or -1 */
	pid_t pidfd_tid;
	struct files *next_with_pidfd;
	struct socket **sockets; /* by fd: NULL unknown, NOT_A_SOCKET, or the socket */
	unsigned int unsure;	 /* bits of enum unsure: then sockets[] is what the fd was at the last look */
	unsigned int size;
	struct fd_range changed[CHANGES_KEPT]; /* the last of them: number i is in [i % CHANGES_KEPT] */
	uint64_t changes;	/* how often calls that take fds away began, or ended while others could look them up */
	struct image *image;	/* whose slots mirror this table (fast/count/slots.c), or NULL */
	struct tracee *closing; /* list of those in the middle of a close, dup2, connect ... */
};

/* A socket that transferred something, by inode. See sockets.c. */
struct socket {
	struct socket *next; /* in its hash bucket */
	struct pt_socket_info info;
	struct row *rows;    /* one, or one for each peer of a datagram socket that has no peer of its own */
	unsigned int cached; /* fd table entries that point here */
	unsigned int busy;   /* tracees inside a transfer on it */
	bool existed;	     /* it was there before ptmon looked: the kernel's counters are not ours alone */
	bool identified;     /* info is filled in; if not, all that is known is that it existed */
	bool active;	     /* TCP: connect() was called, so the kernel counts one byte for the SYN */
	bool idle;	     /* in the list of sockets that nothing points to */
	int64_t seen;	     /* ns, when the first call on it was seen; 0: none was */
	bool told;	     /* it has had a row */
	uint64_t sent;
	uint64_t received;
	struct socket *idle_next;
};

struct row {
	struct row *next; /* of the same socket */
	struct row *bucket_next;
	const struct socket *socket;
	uint32_t id;
	uint32_t batch;	 /* struct out: the one with its first record ... */
	uint32_t index;	 /* ... which is this one of it */
	uint64_t opened; /* ns */
	uint32_t peer_length;
	uint8_t peer[];
};

/* The system call that a tracee is inside of. */
struct call {
	const struct syscall_entry *entry; /* NULL: one that is not watched */
	uint64_t number;
	uint64_t args[6];
	enum abi abi;
	bool compat;  /* made by the 32-bit ABI: 32-bit pointers and structs */
	bool skipped; /* not made: ptmon answers it */
	int fd[2];    /* what it transfers on: [0] the only one or the source, [1] the target of splice, sendfile */
	struct socket *socket[2]; /* what those fds named when the call was entered, or NULL */
	bool unreadable;	  /* what they name can't be known */
	bool closed;		  /* but it was asked for, and there was no such fd right before the call */
};

/* A call that a signal interrupted; what comes of it is not known yet. */
struct interrupted {
	int code; /* ERESTART*, or 0: there is none */
	const struct syscall_entry *entry;
	struct socket *socket;
	int fd;
	enum pt_direction direction;
};

/* What is to be done at one call, beside counting it. See watch.c. */
struct order {
	struct pt_watch *watch; /* or NULL */
	struct denial *rules;	/* list, in the order in which they were given */
};

/* The system call that a tracee is inside of, if it is told of or held. */
struct watched {
	const struct pt_watch *watch; /* NULL: it is not */
	bool tell;
	bool hold;
	struct pt_call call; /* as it was made, and told */
};

/* Where a tracee stands still until pt_answer(). See hold.c. */
enum hold { HOLD_NONE, HOLD_ENTRY, HOLD_EXIT };

/* A call that was made another one, which does nothing, so that it is not made (sandbox.c). */
struct disguise {
	bool on;
	uint64_t argument; /* its first, as it was */
	int64_t result;	   /* what it is to return */
};

enum tracee_state {
	TRACEE_RUNNING,
	TRACEE_LISTENING, /* in a group-stop, after PTRACE_LISTEN */
	TRACEE_NEWBORN,	  /* stopped at birth; which tracee made it is not known yet */
	TRACEE_EXPECTED	  /* its maker's event told of it; its own birth stop has not come yet */
};

struct tracee {
	struct tracee *next; /* in its hash bucket */
	pid_t tid;
	enum tracee_state state;
	int64_t born;	     /* ns, when it was heard of first */
	struct group *group; /* NULL while NEWBORN */
	struct files *files;
	struct call call;
	struct watched watched;
	enum hold hold;
	uint64_t instruction; /* address behind that of its last call */
	bool entered;	      /* inside a call: its syscall-exit-stop will come */
	bool unmade;	      /* SIGKILL has taken it out of its last stop: a call that it stood before is not made */
	bool before_filters;  /* its call was seen at a syscall-entry-stop: seccomp filters judge it after that */
	struct disguise disguise;
	struct question *question; /* what it was asked about its fds (question.c), or NULL */
	bool sandboxed;		   /* has a seccomp filter of its own: watched with PTRACE_SYSCALL */
	bool filters_all;	   /* its call under way gives all threads of its process a filter (loop/closely.c) */
	bool closely;	    /* so is one that has code of its own where our filter lets calls pass (fast/collide.c) */
	int64_t held_since; /* ns, while it is its group's held */
	bool continues;	    /* it was resumed by PTRACE_CONT, or only seized: it makes calls unseen */
	bool asked_to_stop; /* its group's held waits for its next stop */
	bool strict;	    /* asked for SECCOMP_MODE_STRICT, which the core keeps for the kernel (sandbox.c) */
	bool exiting;	    /* PTRACE_EVENT_EXIT was seen */
	bool fresh;	    /* launched: between fork and execve, nothing of it counts */
	bool born_stopped;  /* its group was in a group-stop when it was born: it stays in it */
	bool hid_untraced;  /* CLONE_UNTRACED was taken out of its call's flags (clone.c) */
	struct interrupted interrupted; /* its last call, if a signal ended it (restart.c) */
	bool stepping;			/* the step into a signal handler that tells */
	int stepping_signal;		/* whose frame is to be known then (fast_wants_frame), or 0 */
	unsigned int closing_first;	/* fds that its call under way may close */
	unsigned int closing_last;
	bool is_closing;
	struct tracee *closing_next;
	struct fast_tracee fast;
	bool seized;	   /* and it has not stopped yet (await.c) */
	bool unsettled;	   /* nor is it known that it was not in the middle of a fork then (follow.c) */
	bool trap_blocked; /* it had SIGTRAP blocked when it was looked at last (await.c) */
	bool awaited;	   /* at a breakpoint behind the call that it sleeps in */
	uint64_t awaited_at;
	int64_t seized_at;  /* ns */
	int64_t user_ticks; /* of CPU time then */
	int64_t kernel_ticks;
	bool asked_to_go; /* detaching: it was interrupted (detach.c) */
	bool again;	  /* the call that it is about to make begins anew (loop.c) */
	bool transferred; /* something was told of it */
	uint64_t told;	  /* ns, the time of its last transfer */
	char name[16];	  /* at its exit */
};

/* What goes out: see emit.c. */
struct out {
	struct pt_record *records;
	uint32_t count;
	uint32_t capacity;
	uint8_t *data;
	uint32_t data_length;
	uint32_t data_capacity;
	uint32_t *index;	  /* of transfers that may be added to, by hash: record number + 1 */
	bool lost;		  /* memory ran out: something was not told */
	uint32_t batch;		  /* the number of this one */
	uint64_t told;		  /* ns: until then all is told, and what is found out later bears no earlier time */
	struct pt_record *sorted; /* room for the batch in the order of its times */
	struct order_key *keys;	  /* and for what it is sorted by, twice */
	uint32_t sorted_capacity;
};

/* Signals sent to ptmon itself: see signals.c. */
struct signals {
	sigset_t asked;		/* those that are blocked and taken by sigtimedwait */
	sigset_t original_mask; /* as ptmon found it; the program gets it back */
	struct sigaction original_chld;
	struct sigaction original_tick;
	int64_t delivered[65]; /* when the first program last got this signal itself, ns */
	int forward;	       /* to be forwarded at the next tick, or 0 */
	int64_t forward_since;
	int64_t stop_wanted; /* when the terminal asked ptmon to stop, ns; 0: it did not */
	bool deaf;	     /* SIGHUP was ignored when ptmon was started (nohup) */
	bool has_terminal;   /* there was a controlling terminal then */
	timer_t timer;
	bool installed;
	bool timer_made;
};

/* Stops that have been found and wait for their turn: see wait.c. */
struct found {
	struct found_stop {
		pid_t tid;
		int status;
	} stops[FOUND_MOST + 1]; /* and one that inject.c may have to keep */
	unsigned int next;
	unsigned int count;
};

/* A descendant of an attached process that could not be attached. */
struct left_out {
	pid_t pid;
	pid_t root; /* which was asked for */
	enum pt_reason reason;
	int error; /* errno */
};

struct pt_tracer {
	struct pt_options options;
	struct pt_debug *debug; /* NULL: nothing is noted (records/debug.h) */
	char *only;
	bool launched;
	bool filtered;	   /* launched ones have our seccomp filter */
	bool foreign_proc; /* /proc shows another PID namespace than ours (proc.h) */
	bool counting;
	bool detaching;
	pid_t first; /* the launched program's pid */
	bool first_executed;
	bool first_stopped;
	int64_t now; /* ns, CLOCK_MONOTONIC, at the last stop */
	int64_t next_tick;
	struct found found;
	unsigned int quick_stops; /* in a row: see wait.c */
	int64_t crowded_until;	  /* ns: others use the CPU */
	unsigned int tracee_count;
	unsigned int newborns;
	unsigned int held; /* tracees that are held in the middle of a call, see struct group */
	uint32_t next_row;
	bool has_orders;
	bool wants_answer;		      /* a PT_HELD was told: the batch ends with it */
	struct order orders[2][CALL_NUMBERS]; /* [1]: of the 32-bit ABI */
	struct tracee *tracees[HASH_SIZE];
	struct socket *sockets[HASH_SIZE];
	struct row *rows[HASH_SIZE];
	struct files *with_pidfd;  /* list */
	struct left_out *left_out; /* array */
	unsigned int left_out_count;
	struct breakpoint *breakpoints; /* list */
	bool traps;			/* int3 was written into some tracee's code */
	bool seized;			/* some tracee was seized and has not stopped yet */
	const struct fast_ops *fast;	/* NULL: there is no fast path (door.h) */
	struct fast_tracer fast_state;
	struct socket *idle_head;
	struct socket *idle_tail;
	unsigned int idle_count;
	struct out out;
	struct signals signals;
	int wants_end;	   /* signal that asks to detach */
	bool wants_reopen; /* a signal asks to reopen the log, and no batch has told so yet */
	bool handed_over;  /* a batch was handed out: its memory may be used anew */
};

static inline int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

#endif
