/* SPDX-License-Identifier: GPL-2.0-or-later
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
#define FAST_SLOTS_END FAST_ENDINGS
#define FAST_ENDINGS (FAST_DATA + 0x841000)  /* what sockets were when stubs closed them (ending.S) */
#define FAST_ATTEMPTS (FAST_DATA + 0x881000) /* connects that stubs make, and have made (attempt.S) */
#define FAST_PEERS (FAST_DATA + 0x8a1000)    /* peers whose connections need not be looked at (sockets/heed.h) */
#define FAST_DATA_SIZE 0x8a2000

/* A bit for each 64 slots in which stubs may have written. */
#define FAST_TOUCHED (FAST_DATA + 0x400)
#define FAST_TOUCHED_BITS 6
#define FAST_TOUCHED_SIZE (FAST_FDS >> FAST_TOUCHED_BITS) /* bits */

/* Entries of FAST_ENDINGS. Each has a state: free, taken by a thread, or to be read by the tracer. */
#define FAST_ENDED (FAST_DATA + 0x480)	     /* u32: entries that were taken, ever; raised while it is not whole yet */
#define FAST_ENDING_NEXT (FAST_DATA + 0x484) /* u32: which one is tried next */
#define FAST_ENDING_STATES (FAST_DATA + 0x500)
#define FAST_ENDING_COUNT 256
#define FAST_ENDING_BITS 10 /* 1024 bytes */
#define FAST_ENDING_FREE 0
#define FAST_ENDING_TAKEN 1
#define FAST_ENDING_WHOLE 3

/* An entry: registers of its thread ... */
#define ENDING_RSI 0
#define ENDING_RDX 8
#define ENDING_R10 16
#define ENDING_R8 24
#define ENDING_RBX 32
#define ENDING_R11 40 /* where it goes on */
/* ... what it is about ... */
#define ENDING_THREAD 48
#define ENDING_FD 56
#define ENDING_GENERATION 60 /* before the close */
/* ... and what the kernel says: for each call what it returned, and what it gave. */
#define ENDING_STAT_RESULT 64
#define ENDING_DOMAIN_RESULT 68
#define ENDING_TYPE_RESULT 72
#define ENDING_PROTOCOL_RESULT 76
#define ENDING_LOCAL_RESULT 80
#define ENDING_PEER_RESULT 84
#define ENDING_WAS_RESULT 88
#define ENDING_INFO_RESULT 92
#define ENDING_OUTQ_RESULT 96
#define ENDING_INQ_RESULT 100
#define ENDING_DOMAIN 104
#define ENDING_TYPE 108
#define ENDING_PROTOCOL 112
#define ENDING_LOCAL_LENGTH 116
#define ENDING_PEER_LENGTH 120
#define ENDING_WAS_LENGTH 124
#define ENDING_OUTQ 128
#define ENDING_INQ 132
#define ENDING_LENGTH 136
#define ENDING_READINGS 140
#define ENDING_ACKED 144
#define ENDING_RECEIVED 152
#define ENDING_STATE 160
#define ENDING_BORN 164 /* of its slot */
#define ENDING_WAS 168	/* 32 bytes */
#define ENDING_STAT 200
#define ENDING_LOCAL 344
#define ENDING_PEER 472
#define ENDING_ADDRESS_SIZE 128
#define ENDING_INFO 600
#define ENDING_INFO_SIZE 224 /* of struct tcp_info, as far as it is read */
#define ENDING_END 824

/* Entries of FAST_ATTEMPTS: the same for them. One is taken as long as its connect lasts. */
#define FAST_ATTEMPTED (FAST_DATA + 0x488)
#define FAST_ATTEMPT_NEXT (FAST_DATA + 0x48c)
#define FAST_ATTEMPT_STATES (FAST_DATA + 0x900)
#define FAST_ATTEMPT_COUNT 128
#define FAST_ATTEMPT_BITS 10 /* 1024 bytes */
#define FAST_ATTEMPT_FREE 0
#define FAST_ATTEMPT_TAKEN 1
#define FAST_ATTEMPT_WHOLE 3

/* An entry: registers of its thread ... */
#define ATTEMPT_RSI 0
#define ATTEMPT_RDX 8
#define ATTEMPT_R10 16
#define ATTEMPT_R8 24
#define ATTEMPT_RBX 32
#define ATTEMPT_R11 40 /* where it goes on */
#define ATTEMPT_RDI 48
#define ATTEMPT_R9 56
#define ATTEMPT_RSP 64	  /* by which it knows that the entry is its own */
#define ATTEMPT_RESULT 72 /* of the connect */
/* ... what it is about ... */
#define ATTEMPT_THREAD 80
#define ATTEMPT_FD 88
#define ATTEMPT_GENERATION 92
#define ATTEMPT_SINCE 96  /* the time stamp counter before the call ... */
#define ATTEMPT_UNTIL 104 /* ... and behind it */
#define ATTEMPT_ASKED_LENGTH 112
#define ATTEMPT_OUTCOME 116 /* one of these: */
#define FAST_OUTCOME_OPEN 0
#define FAST_OUTCOME_LEFT 1 /* calls on the socket stop, until the tracer has looked at it */
#define FAST_OUTCOME_PASSES 2
#define FAST_OUTCOME_CHANGED 3 /* the fd may name something else by now */
/* ... what the kernel says ... */
#define ATTEMPT_STAT_RESULT 120
#define ATTEMPT_PROTOCOL_RESULT 124
#define ATTEMPT_LOCAL_RESULT 128
#define ATTEMPT_PEER_RESULT 132
#define ATTEMPT_INFO_RESULT 136
#define ATTEMPT_PROTOCOL 140
#define ATTEMPT_LOCAL_LENGTH 144
#define ATTEMPT_PEER_LENGTH 148
#define ATTEMPT_LENGTH 152
#define ATTEMPT_IOVECS 160 /* two of 16 bytes */
#define ATTEMPT_LOCAL 192
#define ATTEMPT_PEER 224
#define ATTEMPT_NAME_SIZE 32
/* ... and whom the call names. */
#define ATTEMPT_ASKED 256
#define ATTEMPT_ASKED_SIZE 128
#define ATTEMPT_STAT 384
#define ATTEMPT_INFO 528
#define ATTEMPT_INFO_SIZE ENDING_INFO_SIZE
#define ATTEMPT_END 752

/* A row of FAST_PEERS: struct sockaddr with zeros behind it, or nothing but zeros. Where it stands: its four u64 xored,
 * the halves of that, and the halves of that again; as many bits of it as there are rows. */
#define FAST_PEER_COUNT 128
#define FAST_PEER_BITS 5

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

#define FAST_TIMED 0x80000000	   /* in FAST_FLAGS: records bear the time */
#define FAST_ALONE 0x40000000	   /* in FAST_FLAGS: there is no tracer that could answer a request (request.S) */
#define FAST_NO_ENDINGS 0x20000000 /* in FAST_FLAGS: the close of a socket that was used stops */
#define FAST_NO_BIRTHS 0x10000000  /* in FAST_FLAGS: nothing is learnt of what is accepted or made */
#define FAST_UNSAID 0x08000000	   /* in FAST_FLAGS: what a call has opened is not noted (OPENING of stub.S) */
#define FAST_HEEDS 0x04000000	   /* in FAST_FLAGS: connections are looked at, but for those with FAST_PEERS */
#define FAST_ALL_STOP 0x3fffffff   /* in FAST_FLAGS: every call, and these four */

/* Code: readable and executable; the tracer alone writes it, through ptrace. */
#define FAST_CODE 0x7d800000
#define FAST_POINTERS FAST_CODE		      /* u64 for each site: the address of its stub */
#define FAST_STUBS (FAST_CODE + 0x4000)	      /* calls from here on are not shown to the tracer by the filter */
#define FAST_ENDING FAST_STUBS		      /* ending.S */
#define FAST_ATTEMPT (FAST_STUBS + 0x400)     /* attempt.S */
#define FAST_STUBS_FIRST (FAST_STUBS + 0xc00) /* stubs */
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

/* A slot: words of 4 bytes. Whatever is said of an fd holds for one generation of it alone: each close in a stub takes
 * two steps, one before and one behind the call, so that it is odd meanwhile. So what somebody writes too late says
 * nothing. */
#define FAST_SLOT_STATE 0      /* one of the states below, xor the generation: else the fd is unknown */
#define FAST_SLOT_UNDER_WAY 4  /* calls on it that are under way in stubs */
#define FAST_SLOT_GENERATION 8 /* in steps: the low byte is 0 */
#define FAST_SLOT_LEARNT 12    /* the generation with FAST_USED: the tracer says that it is a socket */
#define FAST_SLOT_BORN 16      /* the same, said by the stub that has accepted it */
#define FAST_SLOT_ATTEMPT 20   /* offset in FAST_ATTEMPTS of the entry of who connects it (FAST_CONNECTING) */
#define FAST_STEP_BIT 8
#define FAST_STEP (1 << FAST_STEP_BIT)
#define FAST_USED 1

/* The states. */
#define FAST_UNKNOWN 0 /* a call on it stops, and the tracer finds out what it is */
#define FAST_OTHER 1   /* no socket: nothing counts */
#define FAST_SOCKET 2
#define FAST_DATAGRAM 3 /* a socket whose messages may name their peers */
#define FAST_STOPS 4	/* a socket that was used, but can't be learnt now: all calls on it stop, and its close */
/* These are for stubs alone: for the tracer, and for all other calls, they are the same as FAST_UNKNOWN. */
#define FAST_MADE 0x20	     /* a TCP socket that was never used, by the stub that has made it */
#define FAST_CONNECTING 0x21 /* a stub connects it */
#define FAST_CONNECTED_BIT 4
#define FAST_CONNECTED 0x12 /* it has, and says FAST_SOCKET when it has written all of that: the bit is cleared */
#define FAST_NOTHING 0xff   /* no state, of whatever generation: unknown */

/* A stub begins with room for the instructions before the call that its jump replaced, and ends with room for the
 * ones behind it. */
#define FAST_ROOM_BEFORE 16
#define FAST_ROOM_AFTER 16

#endif
