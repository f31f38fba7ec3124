/* SPDX-License-Identifier: GPL-2.0-only
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
	uint32_t released;  /* ... is no longer counted in the slot */
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

#define STUB_ONE(...) +1
#define STUB_NUMBER(bit, name, ...) [bit] = __NR_##name,
#define STUB_FIRST(bit, name, ...) _Static_assert((bit) < FAST_CLOSES, #name " stands before those that move bytes");

/* So many of them close fds; the others move bytes. */
enum { FAST_CLOSES = 0 HOT_CLOSES(STUB_ONE), FAST_CALLS = FAST_CLOSES HOT_TRANSFERS(STUB_ONE) };

/* The calls that stubs count, in the order of their bits in FAST_FLAGS. */
static const uint16_t fast_calls[] = {HOT_CLOSES(STUB_NUMBER) HOT_TRANSFERS(STUB_NUMBER)};

HOT_CLOSES(STUB_FIRST)
_Static_assert(sizeof(fast_calls) == FAST_CALLS * sizeof(fast_calls[0]), "each has a bit of its own, without a gap");
_Static_assert(FAST_CALLS <= 29, "the bits from there on mean other things (layout.h)");

#endif
