/* SPDX-License-Identifier: GPL-2.0-or-later
 * Questions to a tracee about the fds of its call (question.c), and its answers. */
#ifndef PT_QUESTION_STATE_H
#define PT_QUESTION_STATE_H

#include "calls/detour.h"
#include "sockets/answers.h"
#include "sockets/closing.h"
#include "state/tracer.h"

struct question {
	struct detour detour; /* while a question is under way */
	bool answered;	      /* and nothing was done since */
	unsigned int count;   /* before the call that it is to make */
	int fd;
	int closed;	  /* the fd of which the answer was that there is none, or -1 */
	uint64_t changes; /* of the fd table, when the first question about the fd was asked */
	enum question_kind kind;
	struct answers answers;
};

/* The answer, right before this call, was that no fd has this number. */
static inline bool question_found_closed(const struct tracee *tracee, int fd)
{
	const struct question *question = tracee->question;

	return question && question->closed == fd && !closing_changed(tracee->files, fd, question->changes);
}

#endif
