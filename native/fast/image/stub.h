/* SPDX-License-Identifier: GPL-2.0-or-later
 * The stubs of stub.S, and where in a copy of one a thread may be found. */
#ifndef PT_FAST_STUB_H
#define PT_FAST_STUB_H

#include <asm/unistd.h>
#include <stdint.h>

#include "fast/image/hot_calls.h"

#define STUB_ANY (-1)
#define STUB_NONE (-2)

/* One call that a stub counts. Offsets from the stub's begin: a thread whose rip is at or behind it ... */
struct stub_body {
	uint32_t number;
	uint32_t under_way; /* ... is counted in the fd's slot */
	uint32_t done;	    /* ... has made the call, or is in the kernel making it; the result is in rax */
	uint32_t claimed;   /* ... has a record, whose number is in rcx */
	uint32_t placed;    /* ... and whose offset in the ring is in r11 */
	uint32_t kept;	    /* ... has put the result there */
	uint32_t lent;	    /* ... has put rdx there, and uses it */
	uint32_t returned;  /* ... has it back */
	uint32_t committed; /* ... has written the record */
	uint32_t released;  /* ... is no longer counted in the slot, nor about to close the fd */
	/* Where it closes the fd (else all three are `released`): a thread whose rip is ... */
	uint32_t closing; /* ... at or behind it, and not at `released`: the fd's generation is odd by its hand; at the
			     very place only if the carry flag is clear */
	uint32_t used;	  /* ... at or behind it ... */
	uint32_t ended;	  /* (of these: where it comes back from ending.S) */
	uint32_t undone;  /* ... and before that: so it is here, too, for it was a socket */
	/* Where it connects the fd (else both are `released`): a thread whose rip is ... */
	uint32_t ready; /* ... at or behind it has an entry (attempt.S), at the very place if the carry flag is clear */
	uint32_t asked; /* ... at or behind it has none any more */
};

struct stub {
	const uint8_t *begin;
	const struct stub_body *bodies;
	const struct stub_body *bodies_end;
	int32_t number;	     /* the one call that its sites make, STUB_ANY or STUB_NONE */
	uint32_t size;	     /* bytes */
	uint32_t plain_done; /* a call that is not counted has been made, or is under way */
	uint32_t back_out;   /* to here from twin: counted in the slot, but the call will be made elsewhere */
	uint32_t twin;
	uint32_t tail;	  /* the replaced instruction behind the call, then back to the program */
	uint32_t to_site; /* u64: where in the program that is */
	uint32_t to_twin; /* u64: address of the same call outside of the stubs */
};

extern const struct stub stub_table[];
extern const struct stub stub_table_end[];

/* request.S. A thread at request_tried has taken a place of FAST_SAVED if the carry flag is clear, and its offset is in
 * rcx; at or behind request_claimed it has. At or behind request_saved its registers are there, and the offset is in
 * rbx; at or behind request_sent it has sent the signal, and at request_delivered it gets it. Behind that it goes on by
 * itself: at request_restored it has its signal mask back, and at request_answered it has looked for an answer. */
extern const uint8_t request_begin[];
extern const uint8_t request_tried[];
extern const uint8_t request_claimed[];
extern const uint8_t request_saved[];
extern const uint8_t request_sent[];
extern const uint8_t request_delivered[];
extern const uint8_t request_restored[];
extern const uint8_t request_answered[];
extern const uint8_t request_end[];

/* ending.S. A thread at ending_tried has taken an entry if the carry flag is clear, and its number is in rax; so it has
 * at ending_claimed. At ending_placed and behind it the entry's offset is there; at ending_saved and behind it all
 * registers are in the entry, whose address is in rbx, or from ending_restoring on in rcx. At ending_committed the
 * entry is whole, and the thread has its registers back. */
extern const uint8_t ending_begin[];
extern const uint8_t ending_tried[];
extern const uint8_t ending_claimed[];
extern const uint8_t ending_placed[];
extern const uint8_t ending_saved[];
extern const uint8_t ending_restoring[];
extern const uint8_t ending_committed[];
extern const uint8_t ending_end[];

/* attempt.S. Before the call, a thread at attempt_tried has taken an entry if the carry flag is clear, and its number
 * is in rax; so it has at attempt_claimed. At attempt_placed and behind it the entry's offset is there; at
 * attempt_saved and behind it all registers are in the entry, whose address is in rbx, or in rcx from attempt_refusing
 * to attempt_refused, where it has given the entry back, and from attempt_restoring to attempt_returned. At
 * attempt_owned and behind it the fd's slot says that it is being connected; at attempt_exchanged if the zero flag is
 * set.
 * Behind the call it comes to attempt_returned. At attempt_entered and behind it all registers, and the result, are in
 * the entry, whose address is in rbx, or from attempt_telling on in rcx; at attempt_told it has its registers back, and
 * at attempt_committed the entry is whole. At attempt_lost it has found none. */
extern const uint8_t attempt_begin[];
extern const uint8_t attempt_tried[];
extern const uint8_t attempt_claimed[];
extern const uint8_t attempt_placed[];
extern const uint8_t attempt_saved[];
extern const uint8_t attempt_exchanged[];
extern const uint8_t attempt_refusing[];
extern const uint8_t attempt_refused[];
extern const uint8_t attempt_owned[];
extern const uint8_t attempt_restoring[];
extern const uint8_t attempt_returned[];
extern const uint8_t attempt_entered[];
extern const uint8_t attempt_telling[];
extern const uint8_t attempt_told[];
extern const uint8_t attempt_committed[];
extern const uint8_t attempt_lost[];
extern const uint8_t attempt_end[];

#define STUB_ONE(...) +1
#define STUB_NUMBER(bit, name, ...) [bit] = __NR_##name,
#define STUB_FIRST(bit, name, ...) _Static_assert((bit) < FAST_CLOSES, #name " stands before those that move bytes");

/* So many of them close fds; the others move bytes. */
enum { FAST_CLOSES = 0 HOT_CLOSES(STUB_ONE), FAST_CALLS = FAST_CLOSES HOT_TRANSFERS(STUB_ONE) };

/* The calls that stubs count, in the order of their bits in FAST_FLAGS. */
static const uint16_t fast_calls[] = {HOT_CLOSES(STUB_NUMBER) HOT_TRANSFERS(STUB_NUMBER)};

HOT_CLOSES(STUB_FIRST)
_Static_assert(sizeof(fast_calls) == FAST_CALLS * sizeof(fast_calls[0]), "each has a bit of its own, without a gap");
_Static_assert(FAST_CALLS <= 26, "the bits from there on mean other things (layout.h)");

#endif
