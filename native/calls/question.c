/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A process that is not dumpable shows an unprivileged tracer neither its memory nor its fds. But it can still be let
 * make calls, and what they return is in a register. So before a call on an fd that is not known it makes one that
 * fails in any case, without touching its memory or changing anything, and the error tells what the fd is (answers.c).
 *
 *   stop before the call    its registers are kept, and the question is made instead of it
 *   syscall-exit-stop       the answer is taken; all registers as they were, but the thread goes on at its call's
 *                           instruction: it comes to a stop before the call again, where there may be a further one
 *
 * A signal that comes meanwhile is delivered at that instruction, as if it had come just before the call was made.
 *
 * A race with other threads: one may close the fd, and another one get its number, between two questions or between the
 * answer and the call. Each close comes by here: it takes away what was answered before it (files.c), and what is
 * answered while one is under way, or was, is not believed.
 *
 * A seccomp filter of the program's own would see the question, and may kill for it: then nothing is asked.
 */
#include "calls/question.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calls/call.h"
#include "calls/detour.h"
#include "calls/question_state.h"
#include "calls/transfer.h"
#include "calls/watch.h"
#include "machine/proc.h"
#include "process/tracee.h"
#include "sockets/closing.h"
#include "sockets/files.h"
#include "sockets/sockets.h"

#define MOST_QUESTIONS 256 /* before one call: other threads may close and open the fd all the time */

static bool may_install_filter(const struct call *call)
{
	return call->entry && (call->entry->rule == RULE_SECCOMP || call->entry->rule == RULE_PRCTL);
}

/* Filters that ptmon itself has been given, it has given to the program: they let questions pass. */
static bool has_own_filter(struct pt_tracer *t, const struct tracee *tracee)
{
	int64_t inherited = t->launched ? proc_filters(getpid()) : 0;
	struct tracee *other;

	if (tracee->sandbox || inherited < 0 || proc_filters(tracee->tid) != inherited + tracee->group->filters)
		return true;
	/* A race: another thread may just be giving its filter to all (TSYNC), where this one does not wait for that
	 * (../loop/closely.c). */
	for_each_tracee (t, other)
		if (other->group == tracee->group && may_install_filter(&other->call))
			return true;
	return false;
}

/* A rule for the question's own call might answer it instead of the kernel. */
static bool is_refused(const struct pt_tracer *t, const struct question_call *call, bool compat)
{
	const struct order *order = watch_order(t, compat, (uint64_t)call->number);

	return order && order->rules;
}

/* The call's first fd that can't be looked at, or -1. */
static int hidden_fd(struct pt_tracer *t, struct tracee *tracee, struct call *call)
{
	struct socket *socket;

	transfer_fds(call);
	for (int i = 0; i < 2; i++) {
		int found = call->fd[i] < 0 || question_found_closed(tracee, call->fd[i])
				    ? 0
				    : files_lookup(t, tracee, call->fd[i], &socket);

		if (found == -EACCES || found == -EPERM)
			return call->fd[i];
	}
	return -1;
}

/* The tracee's question, with what earlier ones have shown of the fd. NULL: there is no memory, or there were enough
 * questions. */
static struct question *question_of(struct tracee *tracee, int fd)
{
	struct question *question = tracee->question;
	const struct files *files = tracee->files;

	if (!question)
		question = tracee->question = calloc(1, sizeof(*question));
	if (!question || question->count >= MOST_QUESTIONS)
		return NULL;
	if (!question->count || question->fd != fd || closing_changed(files, fd, question->changes)) {
		question->answers = (struct answers){.alone = files->users == 1};
		question->closed = -1;
		question->changes = files->changes;
		question->fd = fd;
	}
	return question;
}

static bool put_question(struct pt_tracer *t, struct tracee *tracee, enum abi abi, uint64_t number,
			 const uint64_t args[6], int fd)
{
	struct question *question = question_of(tracee, fd);
	struct found_socket socket;
	struct question_call call;

	if (!question || answers_read(&question->answers, &question->kind, &socket) != FOUND_NOTHING_YET)
		return false;
	answers_call(question->kind, fd, abi != ABI_NATIVE, &call);
	if (is_refused(t, &call, abi != ABI_NATIVE) || has_own_filter(t, tracee))
		return false;
	call_begin(t, tracee, abi, number, args);
	if (!detour_make(tracee, &question->detour, call.number, call.args))
		return false;
	tracee->call.stage = CALL_QUESTION;
	question->count++;
	return true;
}

bool question_first(struct pt_tracer *t, struct tracee *tracee, enum abi abi, uint64_t number, const uint64_t args[6])
{
	struct question *question = tracee->question;
	struct call call = {0};
	int fd;

	/* "There is no such fd" is true only until the next call, which may open one. What an fd is, is true until it
	 * is closed, also where a signal handler makes calls meanwhile: else there would be no end of questions to a
	 * program that gets one signal after the other. */
	if (question && !question->answered)
		question->closed = -1;
	if (question)
		question->answered = false;
	/* Where fds change unseen an answer may be wrong before the call is made. A process that has an image can be
	 * read, unless it hides. */
	if (t->detaching || tracee->files->unsure || !tracee_counts(t, tracee) ||
	    (tracee->group->fast.image && !tracee->group->hidden))
		return false;
	call.entry = syscall_find(abi, number);
	if (!call.entry || !syscall_transfers(call.entry) || call.entry->rule == RULE_SOCKETCALL)
		return false;
	memcpy(call.args, args, sizeof(call.args));
	fd = hidden_fd(t, tracee, &call);
	if (fd >= 0 && put_question(t, tracee, abi, number, args, fd))
		return true;
	if (tracee->question)
		tracee->question->count = 0; /* its own call is made now */
	return false;
}

static bool note_socket(struct pt_tracer *t, struct tracee *tracee, int fd, const struct found_socket *found)
{
	struct socket *socket = socket_unknown();
	bool noted;

	if (!socket)
		return true;
	socket->info.family = found->family;
	socket->info.type = found->type;
	socket->info.protocol = found->protocol;
	socket->seen = t->now;
	noted = files_note(t, tracee, fd, socket);
	socket_put(t, socket);
	return noted;
}

void question_answered(struct pt_tracer *t, struct tracee *tracee, int64_t result)
{
	struct question *question = tracee->question;
	struct found_socket socket;
	bool noted = true;
	enum question_kind next;

	question->answered = true;
	detour_end(tracee, &question->detour);
	if (closing_changed(tracee->files, question->fd, question->changes))
		return; /* it is asked anew */
	question->answers.error[question->kind] = result < 0 ? (int)-result : -1;
	switch (answers_read(&question->answers, &next, &socket)) {
	case FOUND_SOCKET:
		noted = note_socket(t, tracee, question->fd, &socket);
		break;
	case FOUND_OTHER:
		noted = files_note(t, tracee, question->fd, NULL);
		break;
	case FOUND_CLOSED:
		question->closed = question->fd;
		break;
	default:
		break;
	}
	if (!noted)
		question->answers = (struct answers){.alone = tracee->files->users == 1};
}
