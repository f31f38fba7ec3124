/* SPDX-License-Identifier: GPL-2.0-only
 *
 * A program's own filter can outrank our SECCOMP_RET_TRACE (seccomp(2): KILL, TRAP, ERRNO and USER_NOTIF do), and then
 * there is no seccomp-stop though a supervisor may let the call be made. So from the moment that it installs one its
 * threads are watched with PTRACE_SYSCALL, whose entry-stop comes before any filter and whose exit-stop after.
 *
 * SECCOMP_MODE_STRICT can't be entered under a filter (the kernel says EINVAL), so the core keeps that promise for the
 * kernel: the call is answered with 0, and any call but read, write, exit and sigreturn ends the thread.
 */
#include "sandbox.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "registers.h"
#include "tracee.h"

#define NO_CALL (-1)
#define TRAPPED_BY_FILTER 1 /* si_code SYS_SECCOMP of sigaction(2), which not every C library names */

static bool is_set_filter(const struct call *call)
{
	if (call->entry->rule == RULE_SECCOMP)
		return call->args[0] == SECCOMP_SET_MODE_FILTER;
	return call->args[0] == PR_SET_SECCOMP && call->args[1] == SECCOMP_MODE_FILTER;
}

static bool is_set_strict(const struct call *call)
{
	if (call->entry->rule == RULE_SECCOMP)
		return call->args[0] == SECCOMP_SET_MODE_STRICT && call->args[1] == 0 && call->args[2] == 0;
	return call->args[0] == PR_SET_SECCOMP && call->args[1] == SECCOMP_MODE_STRICT;
}

static void answer(struct tracee *tracee, int64_t result)
{
	struct registers regs;

	if (registers_read(tracee->tid, &regs) < 0)
		return;
	registers_set_result(&regs, result);
	registers_set_number(tracee->tid, &regs, NO_CALL);
}

void sandbox_refuse(struct tracee *tracee, int error)
{
	answer(tracee, -error);
}

void sandbox_foreign_trace(struct tracee *tracee)
{
	sandbox_refuse(tracee, ENOSYS);
}

bool sandbox_enter(struct pt_tracer *t, struct tracee *tracee)
{
	const struct call *call = &tracee->call;

	if (is_set_strict(call) && t->filtered && !tracee->sandboxed) {
		answer(tracee, 0);
		tracee->strict = true;
		tracee->sandboxed = true; /* every call must be seen from here on */
		return true;
	}
	return is_set_filter(call);
}

static void watch_closely(struct pt_tracer *t, struct tracee *other, void *context)
{
	const struct tracee *tracee = context;

	(void)t;
	if (other == tracee || other->group != tracee->group || other->sandboxed)
		return;
	other->sandboxed = true;
	/* It may run under PTRACE_CONT now, with a filter that outranks ours: its next resume must be by
	 * PTRACE_SYSCALL, so it is made to stop. */
	ptrace(PTRACE_INTERRUPT, other->tid, 0, 0);
}

void sandbox_exit(struct pt_tracer *t, struct tracee *tracee, int64_t result)
{
	const struct call *call = &tracee->call;

	if (tracee->strict || result < 0)
		return;
	tracee->sandboxed = true;
	if (call->entry->rule == RULE_SECCOMP && call->args[1] & SECCOMP_FILTER_FLAG_TSYNC)
		tracee_each(t, watch_closely, tracee);
}

/* kernel/seccomp.c, mode1_syscalls and its 32-bit twin */
static bool strict_allows(enum abi abi, uint64_t number)
{
	if (abi == ABI_I386)
		return number == 3 || number == 4 || number == 1 || number == 119;
	return number == SYS_read || number == SYS_write || number == SYS_exit || number == SYS_rt_sigreturn;
}

void sandbox_check_strict(struct tracee *tracee, enum abi abi, uint64_t number)
{
	struct registers regs;

	if (strict_allows(abi, number))
		return;
	/* The kernel ends this thread alone, as if by SIGKILL; with one thread that is the process's own end. */
	if (tracee->group->threads == 1) {
		kill(tracee->group->tgid, SIGKILL);
	} else if (registers_read(tracee->tid, &regs) == 0) {
		registers_set_argument(&regs, SIGKILL, abi != ABI_NATIVE);
		registers_set_number(tracee->tid, &regs, abi == ABI_I386 ? 1 : SYS_exit);
	}
}

bool sandbox_trapped(struct tracee *tracee, int64_t result)
{
	struct __ptrace_peeksiginfo_args peek = {.nr = 8};
	siginfo_t pending[8];
	long count;

	/* The kernel rolls the registers back before it sends the signal, so the "result" is the call's number. Only
	 * then is it worth a look at the thread's pending signals. */
	if (result < 0 || (uint64_t)result != tracee->call.number)
		return false;
	count = ptrace(PTRACE_PEEKSIGINFO, tracee->tid, &peek, pending);
	for (long i = 0; i < count; i++)
		if (pending[i].si_signo == SIGSYS && pending[i].si_code == TRAPPED_BY_FILTER)
			return true;
	return false;
}
