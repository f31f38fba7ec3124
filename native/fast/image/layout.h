/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Where things are in the tracee. Read by the assembler too, so it holds nothing but numbers. README.md draws it.
 *
 * All of it lies at fixed addresses below 2 GiB, which a program seldom uses: so an instruction of 7 bytes reaches it
 * from anywhere, and the stubs name their data by plain numbers.
 */
#ifndef PT_FAST_LAYOUT_H
#define PT_FAST_LAYOUT_H

/* Data: the program's own private memory, so a fork copies it. Each word that threads write has a cache line (64). */
#define FAST_DATA 0x7c800000
#define FAST_MAGIC FAST_DATA		  /* FAST_MAGIC_WORD, once all is in place */
#define FAST_MAGIC_WORD 0x316e6f6d7470	  /* "ptmon1" */
#define FAST_NUMBERS 512		  /* of system calls that can be watched */
#define FAST_FLAGS (FAST_DATA + 0x40)	  /* u32: one bit for each call of stub.h that has to stop; FAST_TIMED */
#define FAST_SPREAD (FAST_DATA + 0x44)	  /* u32: FAST_SPREAD_ALL, or 0: all records go to the first ring */
#define FAST_WATCHED (FAST_DATA + 0x48)	  /* FAST_NUMBERS bits: calls that the tracer wants to see */
#define FAST_KNOWN (FAST_DATA + 0x88)	  /* the same of those, and of all that have a stub of their own */
#define FAST_HEADS (FAST_DATA + 0x100)	  /* for each ring a line, see below */
#define FAST_SAVED (FAST_DATA + 0x1000)	  /* registers of threads in the middle of a request (request.S) */
#define FAST_RING (FAST_DATA + 0x41000)	  /* records: one ring behind the other */
#define FAST_SLOTS (FAST_DATA + 0x441000) /* what is known of each fd */
#define FAST_DATA_SIZE 0x841000

/* Code that has jumps to stubs: ranges, each u64 begin and u64 end; an end of 0 is behind the last. */
#define FAST_PATCHED (FAST_DATA + 0xc00)
#define FAST_PATCHED_MOST 63

/* Rings: threads that write to one line wait for each other, so most have a ring for themselves. */
#define FAST_RINGS 8
#define FAST_SPREAD_ALL ((FAST_RINGS - 1) << FAST_HEAD_BITS)
#define FAST_HEAD_BITS 6    /* a line of FAST_HEADS: u64 records that were begun, ever ... */
#define FAST_LIMIT 8	    /* ... and behind it u64: no call is counted by a record from here on */
#define FAST_THREAD_BITS 12 /* of a thread pointer: the bits from here on tell threads apart */
#define FAST_RING_BITS 14   /* records of one ring */
#define FAST_RING_RECORDS (1 << FAST_RING_BITS)
#define FAST_RECORD_BITS 5 /* 32 bytes */
#define FAST_THREADS                                                                                                 \
	2048		  /* of a process, at most: each may be about to write one more record, or to make a request \
			   */
#define FAST_FDS 65536	  /* fds from here on stop */
#define FAST_SLOT_BITS 6  /* 64 bytes: a line for each fd, or threads with fds of their own would share one */
#define FAST_SAVED_BITS 7 /* 128 bytes */

#define FAST_TIMED 0x80000000	 /* in FAST_FLAGS: records bear the time */
#define FAST_ALONE 0x40000000	 /* in FAST_FLAGS: there is no tracer that could answer a request (request.S) */
#define FAST_UNSAID 0x20000000	 /* in FAST_FLAGS: what a call has opened is not noted (OPENING of stub.S) */
#define FAST_ALL_STOP 0x3fffffff /* in FAST_FLAGS: every call, and all of that */

/* Code: readable and executable; the tracer alone writes it, through ptrace. */
#define FAST_CODE 0x7d800000
#define FAST_POINTERS FAST_CODE		      /* u64 for each site: the address of its stub */
#define FAST_STUBS (FAST_CODE + 0x4000)	      /* calls from here on are not shown to the tracer by the filter */
#define FAST_STUBS_END (FAST_CODE + 0x100000) /* ... to here */
#define FAST_TWINS FAST_STUBS_END	      /* a place for each site where its call stops */
#define FAST_TWIN_BITS 6		      /* 64 bytes */
#define FAST_REQUEST (FAST_CODE + 0x120000)   /* request.S */
#define FAST_TABLE (FAST_CODE + 0x121000)     /* what a later tracer needs to know (handover.c) */
#define FAST_TABLE_ROW_BITS 6		      /* 64 bytes */
#define FAST_CODE_SIZE 0x142000
#define FAST_SITES 2048
#define FAST_END (FAST_CODE + FAST_CODE_SIZE) /* from FAST_DATA to here nothing else may be mapped */

/* A request is this signal, which a thread sends to itself (request.S). Its default action is to be ignored, and no
 * program is known to send it to one thread: a second one of a kind that is sent to a thread while the first is pending
 * there is dropped by the kernel. (SIGURG would do but for that: Go's runtime sends it to its threads, each time when
 * it wants one of them to stop.) */
#define FAST_SIGNAL 28		       /* SIGWINCH ... */
#define FAST_SIGNAL_VALUE 0x6e6f6d7470 /* ... with this si_value */

/* The state of an fd, the first word of its slot. The second one counts the calls on it that are under way in stubs. */
#define FAST_UNKNOWN 0 /* a call on it stops, and the tracer finds out what it is */
#define FAST_OTHER 1   /* no socket: nothing counts */
#define FAST_SOCKET 2
#define FAST_DATAGRAM 3 /* a socket whose messages may name their peers */
#define FAST_STOPS 4	/* a socket that was used, but can't be learnt now: all calls on it stop, and its close */
#define FAST_CLOSING 5	/* a stub is about to close it: it stops, and nothing is learnt of it */

/* A stub begins with room for the instructions before the call that its jump replaced, and ends with room for the
 * ones behind it. */
#define FAST_ROOM_BEFORE 16
#define FAST_ROOM_AFTER 16

#endif
