/* SPDX-License-Identifier: GPL-2.0-only
 *
 * When a signal interrupts a call, the exit-stop shows one of the kernel's own codes (include/linux/errno.h), and
 * what the program sees is decided after it, when the signal is delivered:
 *
 *                             no handler       handler, SA_RESTART   handler, no SA_RESTART
 *   ERESTARTSYS               restarted        restarted             EINTR
 *   ERESTARTNOINTR            restarted        restarted             restarted
 *   ERESTARTNOHAND            restarted        EINTR                 EINTR
 *   ERESTART_RESTARTBLOCK     restarted        EINTR                 EINTR
 *
 * A restarted call is seen again at its entry and counted then. Only ERESTARTSYS under a handler leaves a doubt, and
 * nothing outside the kernel tells a handler's flags: so the tracee makes one single step, which ends at the handler's
 * first instruction, and the return value saved in the signal frame is read.
 */
#include "restart.h"

#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>

#include "emit.h"
#include "memory.h"
#include "proc.h"
#include "registers.h"
#include "tracee.h"

#define ERESTARTSYS 512
#define ERESTARTNOINTR 513
#define ERESTARTNOHAND 514
#define ERESTART_RESTARTBLOCK 516

bool restart_pending(int error)
{
	return error >= ERESTARTSYS && error <= ERESTART_RESTARTBLOCK;
}

static void tell_interrupted(struct pt_tracer *t, struct tracee *tracee)
{
	emit_transfer(t, &tracee->interrupted);
	tracee->restart_code = 0;
}

static bool has_handler(pid_t tid, int signal)
{
	int64_t caught = proc_status(tid, "SigCgt:", 16);

	return (uint64_t)caught >> (signal - 1) & 1;
}

int restart_at_signal(struct pt_tracer *t, struct tracee *tracee, int signal)
{
	if (!tracee->restart_code || tracee->restart_code == ERESTARTNOINTR || !has_handler(tracee->tid, signal))
		return tracee_request(t, tracee);
	if (tracee->restart_code == ERESTARTSYS) {
		tracee->stepping = true;
		return PTRACE_SINGLESTEP;
	}
	tell_interrupted(t, tracee);
	return tracee_request(t, tracee);
}

static bool frame_says_eintr(pid_t tid)
{
	struct registers regs;
	int64_t result = 0;

	if (registers_read(tid, &regs) < 0 || !registers_context(&regs))
		return false;
	if (memory_read(tid, registers_context(&regs) + CONTEXT_RESULT, &result, sizeof(result)) < 0)
		return false;
	return result == -EINTR;
}

bool restart_stepped(struct pt_tracer *t, struct tracee *tracee, int signal)
{
	siginfo_t info = {0};

	tracee->stepping = false;
	if (signal != SIGTRAP)
		return false; /* no frame could be built (SIGSEGV), or another signal came first */
	/* signal_setup_done() of kernel/signal.c reports with si_code SIGTRAP; a real SIGTRAP has another. */
	if (ptrace(PTRACE_GETSIGINFO, tracee->tid, 0, &info) < 0 || info.si_code != SIGTRAP)
		return false;
	if (frame_says_eintr(tracee->tid))
		tell_interrupted(t, tracee);
	else
		tracee->restart_code = 0;
	return true;
}
