/* SPDX-License-Identifier: GPL-2.0-or-later
 * A thread inside of request.S: where it stands, and the way out of there. */
#ifndef PT_FAST_REQUESTER_H
#define PT_FAST_REQUESTER_H

#include "fast/image/image.h"
#include "machine/registers.h"

enum requester_stage {
	REQUESTER_NONE,	  /* it is not in there, or in no state that request.S leads to */
	REQUESTER_BEFORE, /* it has not sent itself the signal */
	REQUESTER_SENT,	  /* it has, and gets it before it goes on */
	REQUESTER_ALONE	  /* it goes on by itself, since no tracer was there to take the signal */
};

struct requester {
	enum requester_stage stage;
	/* Of the first two: the registers as they were before, but for r11, which is the address of its call in a twin,
	 * and rcx, which that call destroys. */
	struct registers regs;
	bool has_place;
	uint64_t place; /* address of the registers */
	bool is_masked; /* it has another signal mask now than ... */
	uint64_t mask;
};

/* Of a thread that stands. */
enum requester_stage requester_find(pid_t tid, struct requester *requester);
/* Lets it go on at that address, with the registers of requester->regs, as if it had never been inside. 0 or -errno. */
int requester_leave(pid_t tid, struct requester *requester, uint64_t to);
/* It will never go on. */
void requester_forget(pid_t tid, const struct requester *requester);
/* It goes back to where its request began, if it has not sent its signal yet; if it has, that is the next thing. */
void requester_go_back(pid_t tid);

/* Is this the address of an instruction of request.S, or does a call made there return to it? */
bool requester_is_inside(uint64_t address);
/* Does a thread at this address go on to its call without a further request? */
bool requester_is_seen(uint64_t address);

/* A fork has copied this memory, and with it places of threads that the child does not have. */
int requester_forget_all(pid_t reader);
/* There is a tracer again: threads that go on by themselves must not set FAST_ALONE. */
int requester_answer_all(pid_t reader);
void requester_answer(pid_t tid);

#endif
