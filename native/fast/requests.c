/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Why no call is lost, made twice, or made with other registers, by a thread's request (request.S) while signals come.
 *
 *   A  before request_claimed   nothing has changed but rcx, which its call destroys anyhow
 *   B  to its signal mask       it has a place, with all registers that it uses (from request_saved on)
 *   C  to request_sent          besides, every signal is blocked (but SIGKILL and SIGSTOP); the mask as it was is
 *                               there
 *   D  to request_delivered     it has sent itself FAST_SIGNAL, which is still blocked; there no more, so the kernel
 *                               delivers it before it runs one instruction more
 *
 * A signal is delivered only where the thread would go on in user mode, and the tracer sees it there first:
 *
 *   in A, B: any signal. Before it is delivered the thread is moved back to where its request began, with its
 *   registers and its mask, and without its place (door_step_back). So no handler ever runs on top of request.S: it
 *   may make a request itself, jump away or fork. When it returns the thread makes its request anew.
 *
 *   in C: SIGSTOP, for which the thread is moved back, too.
 *
 *   in D, before request_delivered: SIGSTOP; the thread goes on to request_delivered.
 *
 *   in D, at request_delivered: SIGSTOP; or FAST_SIGNAL. One sent to the thread comes before one sent to its process
 *   (dequeue_signal() of kernel/signal.c), so it is the thread's. The tracer gives the thread its mask and its
 *   registers back, sets it to its call, and follows it from there on. Signals that were blocked meanwhile come
 *   there, before the call; so does a FAST_SIGNAL that was sent to the process. Who sent the one in D does not
 *   matter, for that can't always be told: without room for a siginfo (RLIMIT_SIGPENDING) nothing can. But where
 *   siginfo says that it was not from here, one that was sent to this thread before has swallowed request.S's, for
 *   the kernel keeps one of a kind. Then the program gets it; where it has blocked it the kernel does not deliver but
 *   keeps it (ptrace_signal()).
 *
 *   The one hole: a FAST_SIGNAL that somebody sends to just this thread while request.S's is pending (in D) is
 *   dropped by the kernel as the second of a kind.
 *
 * All other stops (a group-stop, PTRACE_INTERRUPT, the stops of request.S's own calls under PTRACE_SYSCALL) leave the
 * thread where it is. When stubs are withdrawn A, B and C are moved back like under a signal, and D goes on to its
 * signal: before a detach at once (leave_requests), or it is not let go yet (door_lets_go). SIGKILL and execve end the
 * memory; a child of vfork that ends has its place given back (requests_exits), and what a fork copies of other
 * threads' places is cleared (requester_forget_all).
 *
 * If the tracer is killed a thread goes on from D by itself: its own mask, FAST_ALONE if no tracer has answered, its
 * registers, and then it gives its place back. Handlers may run on top of request.S then. One that never returns keeps
 * its place for good, which takes as many of those as there are places to do harm; and from FAST_ALONE on nobody makes
 * any. A tracer that takes over answers all of them (requests_adopt), and follows who is behind D
 * (relocate_count_requests).
 */
#include "fast/requests.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "calls/restart.h"
#include "fast/door.h"
#include "fast/image/layout.h"
#include "fast/image/requester.h"
#include "fast/image/twin.h"
#include "fast/patch/halt.h"
#include "fast/retry.h"
#include "machine/proc.h"
#include "process/tracee.h"
#include "records/emit.h"

static bool may_request(const struct pt_tracer *t)
{
	return t->options.fast && !t->filtered;
}

/* Has a signal been delivered that this thread did not send itself as a request? Its own was dropped as the second one.
 */
static bool is_foreign(pid_t tid)
{
	siginfo_t info;

	if (ptrace(PTRACE_GETSIGINFO, tid, 0, &info) < 0)
		return false;
	/* Without room for a siginfo it looks like one of kill(2). */
	return !(info.si_code == SI_USER && info.si_pid == 0) &&
	       !(info.si_code == SI_QUEUE && (uint64_t)(uintptr_t)info.si_value.sival_ptr == FAST_SIGNAL_VALUE);
}

/* To the call that the request is for, or back into its stub. What is left of request.S is done here, for under
 * PTRACE_SYSCALL its calls would stop, too. */
static bool go_to_call(struct pt_tracer *t, struct tracee *tracee, struct requester *requester)
{
	struct image *image = tracee->group->fast.image;
	const uint64_t call = registers_r11(&requester->regs);
	const uint64_t number = (uint64_t)registers_result(&requester->regs);
	uint32_t offset;
	const struct fast_site *site = image && image->stage < IMAGE_WITHDRAWN ? image_twin_of(image, call, &offset)
									       : NULL;
	const bool again = site && retry_passes(t, image, tracee, &requester->regs, number);

	if (requester_leave(tracee->tid, requester, again ? retry_at(site) : call) < 0)
		return false;
	tracee->fast.requests += !again;
	return true;
}

bool door_requests(struct pt_tracer *t, struct tracee *tracee, int signal)
{
	struct requester requester;

	return signal == FAST_SIGNAL && may_request(t) && requester_find(tracee->tid, &requester) == REQUESTER_SENT &&
	       go_to_call(t, tracee, &requester) && !is_foreign(tracee->tid);
}

void door_step_back(const struct pt_tracer *t, const struct tracee *tracee)
{
	if (may_request(t))
		requester_go_back(tracee->tid);
}

bool door_is_request(const struct pt_tracer *t, uint64_t instruction)
{
	return may_request(t) && requester_is_inside(instruction);
}

bool requests_sent(const struct pt_tracer *t, const struct tracee *tracee)
{
	struct requester requester;

	return may_request(t) && requester_find(tracee->tid, &requester) == REQUESTER_SENT &&
	       (uint64_t)proc_status(tracee->tid, "SigPnd:", 16) >> (FAST_SIGNAL - 1) & 1;
}

bool door_lets_go(const struct pt_tracer *t, const struct tracee *tracee)
{
	if (requests_sent(t, tracee))
		return false;
	door_step_back(t, tracee);
	return true;
}

void requests_exits(const struct pt_tracer *t, const struct tracee *tracee)
{
	struct requester requester;

	if (may_request(t) && tracee->fast.borrows && requester_find(tracee->tid, &requester) != REQUESTER_NONE)
		requester_forget(tracee->tid, &requester);
}

void door_call_ended(struct tracee *tracee, uint64_t instruction, int64_t result)
{
	/* rt_sigreturn(2) ends where the handler began, which may be right behind a call that has ended before. */
	if (tracee->call.number == SYS_rt_sigreturn)
		return;
	/* One that the kernel is about to make again is to be seen again. */
	if (!tracee->fast.requests || restart_result(result) || instruction < FAST_TWINS ||
	    instruction >= FAST_REQUEST || (instruction & ((1u << FAST_TWIN_BITS) - 1)) != TWIN_DONE)
		return;
	tracee->fast.requests--;
}

bool door_counts_itself(const struct tracee *tracee, uint64_t instruction)
{
	if (!tracee->group->fast.image)
		return false;
	/* Those of request.S are nobody's business. */
	return (instruction > FAST_STUBS && instruction <= FAST_STUBS_END) || requester_is_inside(instruction);
}

static void answer(pid_t tid, void *context)
{
	(void)context;
	requester_answer(tid);
}

int requests_adopt(const struct image *image)
{
	int error = requester_answer_all(image->reader);

	halt_each(image->group, answer, NULL);
	return error;
}

void requests_check(struct pt_tracer *t, struct image *image)
{
	struct tracee *tracee;
	uint32_t flags;

	if (!image->by_request || image_read(image, FAST_FLAGS, &flags, sizeof(flags)) < 0 || !(flags & FAST_ALONE) ||
	    image->flags & FAST_ALONE)
		return;
	image_write(image, FAST_FLAGS, &image->flags, sizeof(image->flags));
	tracee = tracee_of_group(t, image->group->tgid, NULL);
	if (tracee)
		emit_warning(t, tracee, PT_REASON_UNASKED, NULL, 0);
}
