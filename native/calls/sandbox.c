/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A program's own filter can outrank our SECCOMP_RET_TRACE (seccomp(2): KILL, TRAP, ERRNO and USER_NOTIF do), and then
 * there is no seccomp-stop though a supervisor may let the call be made. So from the moment that it installs one its
 * threads are watched with PTRACE_SYSCALL, whose entry-stop comes before any filter and whose exit-stop after.
 *
 * Other calls that would break what is done inside the program (fast/) come by here, too: it leaves the process before.
 *
 * SECCOMP_MODE_STRICT can't be entered under a filter (the kernel says EINVAL), so the core keeps that promise for the
 * kernel: the call is answered with 0, and any call but read, write, exit and sigreturn ends the thread.
 */
#include "calls/sandbox.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "machine/proc.h"
#include "machine/registers.h"
#include "process/tracee.h"
#include "sockets/files.h"
#include "state/door.h"

#define NO_CALL (-1)
#define READ_I386 3
#define TRAPPED_BY_FILTER 1 /* si_code SYS_SECCOMP of sigaction(2), which not every C library names */

static bool sets_filter(const struct syscall_entry *entry, const uint64_t args[6])
{
	if (entry->rule == RULE_SECCOMP)
		return args[0] == SECCOMP_SET_MODE_FILTER;
	return args[0] == PR_SET_SECCOMP && args[1] == SECCOMP_MODE_FILTER;
}

static bool is_set_filter(const struct call *call)
{
	return sets_filter(call->entry, call->args);
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

/* After a syscall-entry-stop the kernel shows the call to every seccomp filter. A filter of the program's own is not
 * prepared for "no call" (-1): it may kill for it. But there is hardly one that does not allow read(2). So the call is
 * made a read from fd -1, which does nothing, and what it has returned is replaced at the exit-stop. */
static void disguise(struct tracee *tracee, int64_t result)
{
	struct registers regs;
	bool compat = tracee->call.compat;

	if (registers_read(tracee->tid, &regs) < 0)
		return;
	tracee->disguise.argument = registers_argument(&regs, 0, compat);
	tracee->disguise.result = result;
	registers_set_argument(&regs, (uint64_t)-1, compat);
	tracee->disguise.on = registers_set_number(tracee->tid, &regs, compat ? READ_I386 : SYS_read) == 0;
}

void sandbox_answer(struct tracee *tracee, int64_t result)
{
	if (tracee->call.before_filters)
		disguise(tracee, result);
	else
		answer(tracee, result);
}

int64_t sandbox_result(struct tracee *tracee, int64_t result)
{
	struct registers regs;

	if (!tracee->disguise.on)
		return result;
	tracee->disguise.on = false;
	if (registers_read(tracee->tid, &regs) < 0)
		return result;
	/* In this order: on aarch64 the first argument's register is the result's. */
	registers_set_argument(&regs, tracee->disguise.argument, tracee->call.compat);
	registers_set_result(&regs, tracee->disguise.result);
	registers_set_number(tracee->tid, &regs, (int64_t)tracee->call.number);
	return tracee->disguise.result;
}

void sandbox_foreign_trace(struct tracee *tracee)
{
	answer(tracee, -ENOSYS);
}

/* Calls from outside of a range that the program names are to send it a signal: a stub lies outside of it. */
static bool is_dispatch(const struct call *call)
{
	return call->entry->rule == RULE_PRCTL && call->args[0] == PR_SET_SYSCALL_USER_DISPATCH;
}

/* Once the call is made the process's memory can't be read, unless ptmon has CAP_SYS_PTRACE: so its records are read
 * before. */
static bool hides(const struct syscall_entry *entry, const uint64_t args[6])
{
	return entry->rule == RULE_PRCTL && args[0] == PR_SET_DUMPABLE && args[1] != 1;
}

bool sandbox_closes(const struct syscall_entry *entry, const uint64_t args[6])
{
	return sets_filter(entry, args) || hides(entry, args);
}

/* From then on rdtsc raises SIGSEGV in this thread, in its children and in what they execute; stubs may have one. */
static bool forbids_clock(const struct call *call)
{
	return call->entry->rule == RULE_PRCTL && call->args[0] == PR_SET_TSC && call->args[1] != PR_TSC_ENABLE;
}

bool sandbox_enter(struct pt_tracer *t, struct tracee *tracee)
{
	const struct call *call = &tracee->call;

	if (is_set_strict(call))
		fast_withdraw(t, tracee, PT_FALLBACK_SANDBOX);
	if (is_set_strict(call) && t->filtered && !tracee->sandbox) {
		answer(tracee, 0);
		tracee->sandbox = SANDBOX_STRICT; /* every call must be seen from here on */
		return true;
	}
	if (is_set_filter(call) && call->entry->rule == RULE_SECCOMP && call->args[1] & SECCOMP_FILTER_FLAG_TSYNC &&
	    t->filtered)
		tracee->closely.filters_all = true;
	if (hides(call->entry, call->args)) {
		tracee->group->hidden = true;
		fast_hides(t, tracee);
	}
	if (forbids_clock(call)) {
		tracee->group->fast.clockless = true;
		fast_withdraw(t, tracee, PT_FALLBACK_CLOCK);
	}
	if (is_dispatch(call))
		fast_withdraw(t, tracee, PT_FALLBACK_DISPATCH);
	if (is_set_filter(call))
		fast_withdraw(t, tracee, PT_FALLBACK_SANDBOX);
	return is_set_filter(call);
}

/* From then on a supervisor answers its calls, and may put fds into it: SECCOMP_IOCTL_NOTIF_ADDFD. */
static bool has_supervisor(const struct call *call)
{
	return call->entry->rule == RULE_SECCOMP && call->args[1] & SECCOMP_FILTER_FLAG_NEW_LISTENER;
}

void sandbox_found(struct pt_tracer *t, struct tracee *tracee)
{
	if (proc_status(tracee->tid, "Seccomp:", 10) == SECCOMP_MODE_FILTER)
		files_distrust(t, tracee, UNSURE_SUPERVISED);
}

void sandbox_exit(struct pt_tracer *t, struct tracee *tracee, int64_t result)
{
	if (tracee->sandbox != SANDBOX_STRICT && result >= 0)
		tracee->sandbox = SANDBOX_OWN;
	if (tracee->sandbox != SANDBOX_STRICT && result >= 0 && has_supervisor(&tracee->call))
		files_distrust(t, tracee, UNSURE_SUPERVISED);
}

/* kernel/seccomp.c, mode1_syscalls and its 32-bit twin */
static bool strict_allows(enum abi abi, uint64_t number)
{
	if (abi == ABI_I386)
		return number == 3 || number == 4 || number == 1 || number == 119;
	return number == SYS_read || number == SYS_write || number == SYS_exit || number == SYS_rt_sigreturn;
}

bool sandbox_check_strict(struct tracee *tracee, enum abi abi, uint64_t number)
{
	struct registers regs;

	if (strict_allows(abi, number))
		return true;
	/* The kernel ends this thread alone, as if by SIGKILL; with one thread that is the process's own end. */
	if (tracee->group->threads == 1) {
		kill(tracee->group->tgid, SIGKILL);
	} else if (registers_read(tracee->tid, &regs) == 0) {
		registers_set_argument(&regs, SIGKILL, abi != ABI_NATIVE);
		registers_set_number(tracee->tid, &regs, abi == ABI_I386 ? 1 : SYS_exit);
	}
	return false;
}

bool sandbox_trapped(struct tracee *tracee, int64_t result)
{
	struct __ptrace_peeksiginfo_args peek = {.nr = 8};
	siginfo_t pending[8];
	long count;

	/* The kernel rolls the registers back before it sends the signal, so the "result" is the call's number, or its
	 * first argument. Only then is it worth a look at the thread's pending signals. */
	if ((uint64_t)result != registers_rolled_back(tracee->call.number, tracee->call.args))
		return false;
	count = ptrace(PTRACE_PEEKSIGINFO, tracee->tid, &peek, pending);
	for (long i = 0; i < count; i++)
		if (pending[i].si_signo == SIGSYS && pending[i].si_code == TRAPPED_BY_FILTER)
			return true;
	return false;
}
