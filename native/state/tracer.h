/* SPDX-License-Identifier: GPL-2.0-or-later
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

#include "lib/hash.h"
#include "ptmon_api.h"
#include "state/fast.h"
#include "syscalls/syscalls.h"

#define NSEC_PER_SEC 1000000000LL
#define FOUND_MOST 1024

#define CALL_NUMBERS 1024 /* numbers from here on can't be watched, nor refused: no ABI has so many calls */

struct denial;
struct image;
struct order_key;
struct question;
struct second;
struct sock_filter;
struct socket;
struct tracee;

/* Every tracee of one tgid. Ends with its last thread. */
struct group {
	pid_t tgid;
	pid_t parent;
	unsigned int threads;	/* tracees that point here */
	bool counted;		/* --only: is this the program that was asked for? */
	bool emitted;		/* Python knows of it */
	struct tracee *waiting; /* stands in the middle of a call until every thread is watched (closely.c), or NULL */
	unsigned int unwatched; /* threads that are not yet */
	uint32_t warned;	/* one bit for each pt_reason that was reported of it */
	int signalled;		/* the last signal of pt_signal() that it has got, or 0 */
	struct fast_group fast;
	struct group *shares; /* it runs in the memory of that one (CLONE_VM without CLONE_THREAD), until its execve */
	unsigned int sharers; /* groups that do so in its memory */
	bool hidden;	      /* it may not be looked at: only questions show what its fds are (calls/question.c) */
	unsigned int filters; /* that it has from ptmon */
	bool dry;	      /* it has no socket, and no filter that would show what is done with one (calls/dry.c) */
	pid_t installer;      /* the thread that is about to change that, or 0 */
	bool closely;	      /* nor can it have that: all calls of its threads are seen, and of what they execute */
	unsigned int behind;  /* threads that are */
};

/* Why an fd may come to name something else without a call that is seen: bits. */
enum unsure {
	UNSURE_RINGS = 1,      /* io_uring closes and installs fds by itself */
	UNSURE_SUPERVISED = 2, /* who answers its calls may put fds in their places (seccomp_unotify(2), ADDFD) */
	UNSURE_SHARED = 4,     /* a process that is not traced has the same table */
	UNSURE_DRY = 8	       /* calls on fds do not stop, or some that did not may not have ended yet (calls/dry.c) */
};

#define CHANGES_KEPT 512 /* threads that open and close all the time may do so many while one waits for a CPU */

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

/* A connect(2), as it was made. */
struct attempt {
	int64_t since; /* ns, when it was entered ... */
	int64_t until; /* ... and when it returned */
	uint32_t peer_length;
	uint8_t peer[128]; /* struct sockaddr that it named */
};

/* One that has not come to an end that was seen. See sockets/connects.c. */
struct connecting {
	int64_t since; /* ns, when it was begun */
	bool returned; /* the call has, and was told: EINPROGRESS. Else a signal has interrupted it */
	bool told;     /* what became of it was told, as far as it was seen */
	bool failed;   /* that it has failed, but not why; or that an fd of it was closed */
	uint32_t peer_length;
	uint8_t peer[128]; /* struct sockaddr that it named */
};

/* What of a socket's payload is told. See sockets/heed.c. */
enum heed {
	HEED_NOTHING,
	HEED_FIRST, /* what is sent first */
	HEED_ALL
};

#define HEEDED_PEERS 256

/* What that costs is bounded. */
struct heeding {
	struct {
		uint32_t key;
		uint32_t count; /* connections whose first bytes were to be told */
	} peers[HEEDED_PEERS];
	int64_t since; /* ns; then a second began ... */
	uint32_t told; /* ... in which so many were told */
};

/* A socket that transferred something, by inode. See sockets.c. */
struct socket {
	struct hash_link link; /* by inode */
	struct pt_socket_info info;
	struct row *rows;    /* one, or one for each peer of a datagram socket that has no peer of its own */
	unsigned int cached; /* fd table entries that point here */
	unsigned int busy;   /* tracees inside a transfer on it */
	bool existed;	     /* it was there before ptmon looked: the kernel's counters are not ours alone */
	bool identified;     /* info is filled in; if not, all that is known is that it existed */
	bool active;	     /* TCP: connect() was called, so the kernel counts one byte for the SYN */
	bool idle;	     /* in the list of sockets that nothing points to */
	int64_t seen;	     /* ns, when the first call on it was seen; 0: none was */
	bool emitted;	     /* a row of it was emitted */
	bool heeded;	     /* it was looked at whether its first bytes are to be told */
	enum heed heed;
	struct connecting *connecting; /* or NULL */
	uint64_t sent;
	uint64_t received;
	struct pt_tcp_info told; /* the kernel's counters, as they were emitted last */
	struct socket *idle_next;
};

struct row {
	struct row *next;      /* of the same socket */
	struct hash_link link; /* by socket and peer */
	const struct socket *socket;
	uint32_t id;
	uint32_t batch;	 /* struct out: the one with its first record, or its life ... */
	uint32_t index;	 /* ... which is this one of it */
	bool lives;	 /* until that batch is handed over what comes of it goes into its life */
	bool closed;	 /* an fd of it was */
	uint64_t opened; /* ns */
	uint32_t peer_length;
	uint8_t peer[];
};

enum call_stage {
	CALL_OUTSIDE,  /* of any whose end is wanted */
	CALL_ENTERED,  /* its syscall-exit-stop will come */
	CALL_AGAIN,    /* the same, but a disguise is made instead, and then the call begins anew (loop/call_stop.c) */
	CALL_QUESTION, /* the same, but a question is made instead (calls/question.c) */
	CALL_SECOND    /* the same, but a call that leads to the second filter is (calls/dry.c) */
};

/* The system call that a tracee is inside of, or was last. */
struct call {
	enum call_stage stage;
	uint64_t instruction; /* address behind that which made it */
	bool before_filters;  /* it was seen at a syscall-entry-stop: seccomp filters judge it after that */
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
	struct attempt attempt;	  /* if it is a connect(2) */
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

/* The system call that a tracee is inside of, if it is emitted or held. */
struct watched {
	const struct pt_watch *watch; /* NULL: it is not */
	bool emit;
	bool hold;
	struct pt_call call; /* as it was made, and emitted */
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
	TRACEE_RUNNING,	  /* or in a stop that is being handled, or in which it is held */
	TRACEE_LISTENING, /* in a group-stop, after PTRACE_LISTEN */
	TRACEE_NEWBORN,	  /* stopped at birth; which tracee made it is not known yet */
	TRACEE_EXPECTED,  /* its maker's event has announced it; its own birth stop has not come yet */
	TRACEE_EXITING	  /* PTRACE_EVENT_EXIT was seen */
};

/* Of its first stop. See process/clone.c. */
struct birth {
	int64_t since; /* ns, when it was heard of first */
	bool stopped;  /* its group was in a group-stop: it stays in it */
};

/* How it was resumed last. See process/next.c. */
struct resumed {
	bool by_cont;  /* by PTRACE_CONT, or it was only seized: it makes calls unseen */
	bool gone_on;  /* not at all: SIGKILL had taken it out of its stop. A call that it stood before is not made */
	uint64_t from; /* its next instruction at its last stop, where it may be still if it got no CPU; 0: not known */
};

/* Has it a seccomp filter of its own? Then every call of it is seen, by PTRACE_SYSCALL. See calls/sandbox.c. */
enum sandbox {
	SANDBOX_NONE,
	SANDBOX_OWN,   /* it has one */
	SANDBOX_STRICT /* it wanted SECCOMP_MODE_STRICT, which the core keeps for the kernel */
};

/* Why else every call of it is seen, or of others because of it. See loop/closely.c. */
struct closely {
	bool always;	       /* it has code of its own where our filter lets calls pass (fast/collide.c) */
	bool filters_all;      /* its call under way gives all threads of its process a filter */
	bool waited_for;       /* one of its group waits for its next stop */
	int64_t waiting_since; /* ns, while it is the one of its group that waits */
};

/* How a thread that makes calls unseen comes to a stop. */
enum await {
	AWAIT_NOTHING,
	AWAIT_STOP,	 /* it was seized, and has not stopped yet */
	AWAIT_BREAKPOINT /* it is met at a breakpoint behind the call that it sleeps in */
};

/* Of a thread that was seized. See loop/await.c, loop/meet.c, loop/follow.c. */
struct attach_state {
	enum await await;
	uint64_t breakpoint; /* its address */
	int64_t since;	     /* ns: AWAIT_STOP; 0: it has not been looked at yet */
	int64_t user_ticks;  /* of CPU time then */
	int64_t kernel_ticks;
	bool unsettled;	   /* it is not known yet that it was not in the middle of a fork when it was seized */
	bool trap_blocked; /* it had SIGTRAP blocked when it was looked at last */
};

/* One single step, into a signal handler, whose frame shows the interrupted call's result. See calls/restart.c. */
struct step {
	bool on;
	int signal; /* whose frame is to be known then (fast_wants_frame), or 0 */
};

/* A call under way that may take fds away. See sockets/files.c. */
struct closing {
	bool on;
	unsigned int first;
	unsigned int last;
	struct tracee *next; /* in the table's list */
};

/* The PT_TRANSFERs that were emitted of it. See calls/transfer.c. */
struct transfers {
	bool any;
	uint64_t last; /* ns, the time of the last one */
};

struct tracee {
	struct hash_link link; /* by tid */
	pid_t tid;
	enum tracee_state state;
	bool fresh;	     /* launched: between fork and execve, nothing of it counts */
	char name[16];	     /* at its exit */
	struct group *group; /* NULL while NEWBORN */
	struct files *files;
	struct birth birth;
	struct resumed resumed;

	struct call call;
	struct watched watched;
	enum hold hold;
	struct disguise disguise;
	bool hid_untraced;	   /* CLONE_UNTRACED was taken out of its call's flags (process/untraced.c) */
	struct question *question; /* about its fds, and the answers (calls/question.c); or NULL */
	struct second *second;	   /* it is about to give its process the second filter (calls/dry.c); or NULL */
	bool exits_unseen;	   /* it has no stop at its exit (process/exits.c) */
	bool unstopped;		   /* it has not stopped since its process got that filter: it may be in any call */
	bool behind; /* it may be in a call that it began before its process had that filter (process/behind.h) */
	struct interrupted interrupted; /* its last call, if a signal ended it (calls/restart.c) */
	struct step step;
	struct closing closing;
	struct transfers transfers;

	enum sandbox sandbox;
	struct closely closely;
	struct attach_state attach;
	bool interrupt_sent; /* by loop/detach.c: it is let go at its next stop */
	struct fast_tracee fast;
};

/* What goes out: see emit.c. */
struct out {
	struct pt_record *records;
	uint32_t count;
	uint32_t capacity;
	uint8_t *data;
	uint32_t data_length;
	uint32_t data_capacity;
	struct pt_life *lives;
	uint32_t *steps; /* room for two of each life */
	uint32_t life_count;
	uint32_t life_capacity;
	uint32_t step_count;
	uint32_t run;		  /* the PT_LIVES that further steps belong to, from 1; 0: they need a new one */
	struct hash_index index;  /* of transfers that may be added to */
	bool lost;		  /* memory ran out: something was not emitted */
	uint32_t batch;		  /* the number of this one */
	uint64_t emitted_until;	  /* ns: what happened until then is emitted; what is found out later bears no earlier
				     time */
	struct pt_record *sorted; /* room for the batch in the order of its times */
	struct order_key *keys;	  /* and for what it is sorted by, twice */
	uint32_t sorted_capacity;
};

/* Signals sent to ptmon itself: see signals.c. */
struct signals {
	sigset_t blocked;	/* those that are blocked and taken by sigtimedwait */
	sigset_t original_mask; /* as ptmon found it; the program gets it back */
	struct sigaction original_chld;
	struct sigaction original_tick;
	int64_t delivered[65]; /* when the first program last got this signal itself, ns ... */
	pid_t sender[65];      /* ... and from whom */
	int forward;	       /* to be forwarded at the next tick, or 0 */
	int64_t forward_since;
	pid_t forward_from;
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
	unsigned int quick;    /* so many waits in a row were short */
	int64_t crowded_until; /* ns: others use the CPU */
};

/* Descendants of attached processes that could not be attached. See loop/descendants.c. */
struct left_outs {
	struct left_out {
		pid_t pid;
		pid_t root; /* which was asked for */
		enum pt_reason reason;
		int error; /* errno */
	} *list;
	unsigned int count;
};

/* The launched program's process. */
struct first {
	pid_t pid;
	bool executed;
	bool stopped; /* in a group-stop */
};

/* What is to be done at calls beside counting them. See calls/watch.c. */
struct orders {
	bool any;
	struct order of[2][CALL_NUMBERS]; /* [1]: of the 32-bit ABI */
};

/* Sockets that nothing points to, the oldest first. See sockets/sockets.c. */
struct idle {
	struct socket *head;
	struct socket *tail;
	unsigned int count;
};

/* What Python has to do when the batch ends. */
struct wants {
	int end;     /* to detach, for this signal asks for it; 0: none does */
	bool reopen; /* to open the log anew; no batch has said so yet */
	bool answer; /* to answer a PT_HELD, which is the batch's last record */
};

struct pt_tracer {
	struct pt_options options;
	struct pt_debug *debug; /* NULL: nothing is noted (records/debug.h) */
	char *only;
	bool launched;
	bool filtered; /* launched ones have our seccomp filter */
	struct {
		struct sock_filter *program; /* what a dry process gets (calls/dry.c), or NULL */
		unsigned int length;	     /* instructions */
	} second;
	unsigned int behind; /* tracees that are */
	bool foreign_proc;   /* /proc shows another PID namespace than ours (machine/proc_path.h) */
	bool counting;
	bool detaching;
	int64_t now; /* ns, CLOCK_MONOTONIC, at the last stop */
	int64_t next_tick;
	struct first first;
	struct found found;
	struct orders orders;

	struct hash tracees; /* by tid */
	unsigned int tracee_count;
	unsigned int newborns;
	unsigned int waiting; /* groups of which a tracee waits (struct group) */
	bool awaits_stops;    /* some tracee is AWAIT_STOP */
	struct left_outs left_out;
	struct breakpoint *breakpoints; /* list */
	bool traps;			/* int3 was written into some tracee's code */

	struct hash sockets; /* by inode */
	struct idle idle;
	struct hash rows; /* by socket and peer */
	struct heeding heeding;
	uint8_t *content;	 /* room for options.content bytes, or NULL (calls/content.c) */
	unsigned int connecting; /* sockets of which it was not told yet what became of a connect(2) */
	uint32_t next_row;
	struct files *with_pidfd; /* list */

	const struct fast_ops *fast; /* NULL: there is no fast path (door.h) */
	struct fast_tracer fast_state;

	struct out out;
	struct signals signals;
	struct wants wants;
	bool handed_over; /* a batch was handed out: its memory may be used anew */
};

static inline int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

#endif
