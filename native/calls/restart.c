/* SPDX-License-Identifier: GPL-2.0-or-later
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
#include "calls/restart.h"

#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>

#include "machine/memory.h"
#include "machine/proc.h"
#include "machine/registers.h"
#include "process/tracee.h"
#include "records/emit.h"
#include "sockets/life.h"
#include "sockets/rows.h"
#include "sockets/sockets.h"
#include "state/door.h"

bool restart_pending(int error)
{
	return error >= ERESTARTSYS && error <= ERESTART_RESTARTBLOCK;
}

bool restart_result(int64_t result)
{
	return result < 0 && result > -4096 && restart_pending((int)-result);
}

void restart_remember(struct tracee *tracee, struct socket *socket, int fd, enum pt_direction direction, int code)
{
	socket->cached++; /* it must not be forgotten as long as it is remembered here */
	tracee->interrupted = (struct interrupted){
		.code = code,
		.entry = tracee->call.entry,
		.socket = socket,
		.fd = fd,
		.direction = direction,
	};
}

void restart_forget(struct pt_tracer *t, struct tracee *tracee)
{
	struct socket *socket = tracee->interrupted.socket;

	if (!tracee->interrupted.code)
		return;
	tracee->interrupted = (struct interrupted){0};
	socket->cached--;
	socket_put(t, socket);
}

static void emit_interrupted(struct pt_tracer *t, struct tracee *tracee)
{
	const struct interrupted *call = &tracee->interrupted;
	struct row *row = socket_row(t, tracee, call->socket, call->fd, (uint64_t)t->now, (const uint8_t *)"", 0);
	struct pt_record record = {
		.time = (uint64_t)t->now,
		.kind = PT_TRANSFER,
		.tgid = tracee->group->tgid,
		.tid = tracee->tid,
		.calls = 1,
		.fd = call->fd,
		.error = EINTR,
		.syscall = syscall_index(call->entry),
		.direction = (uint8_t)call->direction,
	};

	life_transfer(t, row, &record);
	restart_forget(t, tracee);
}

bool restart_has_handler(pid_t tid, int signal)
{
	int64_t caught = proc_status(tid, "SigCgt:", 16);

	return (uint64_t)caught >> (signal - 1) & 1;
}

enum next restart_at_signal(struct pt_tracer *t, struct tracee *tracee, int signal)
{
	const int code = tracee->interrupted.code;
	bool has_handler = code && code != ERESTARTNOINTR && restart_has_handler(tracee->tid, signal);

	if (has_handler && code != ERESTARTSYS)
		emit_interrupted(t, tracee);
	tracee->step.signal = fast_wants_frame(t, tracee, signal) ? signal : 0;
	if (!(has_handler && code == ERESTARTSYS) && !tracee->step.signal)
		return NEXT_DELIVER;
	tracee->step.on = true;
	return NEXT_STEP;
}

static bool frame_has_eintr(struct pt_tracer *t, struct tracee *tracee)
{
	struct registers regs;
	int64_t result = 0;
	int error;

	if (registers_read(tracee->tid, &regs) < 0 || !registers_context(&regs))
		return false;
	error = memory_read(tracee->tid, registers_context(&regs) + CONTEXT_RESULT, &result, sizeof(result));
	if (error)
		emit_warning(t, tracee, PT_REASON_UNREADABLE, tracee->interrupted.entry,
			     -error); /* a call more, or not */
	return !error && result == -EINTR;
}

bool restart_stepped(struct pt_tracer *t, struct tracee *tracee, int signal)
{
	siginfo_t info = {0};

	tracee->step.on = false;
	if (signal != SIGTRAP)
		return false; /* no frame could be built (SIGSEGV), or another signal came first */
	/* signal_setup_done() of kernel/signal.c reports with si_code SIGTRAP; a real SIGTRAP has another. */
	if (ptrace(PTRACE_GETSIGINFO, tracee->tid, 0, &info) < 0)
		return false;
	/* Another thread has taken the handler away before the signal was delivered: the step went through the
	 * program's own code, which must not get the trap. */
	if (info.si_code == TRAP_TRACE) {
		restart_forget(t, tracee);
		return true;
	}
	if (info.si_code != SIGTRAP)
		return false;
	if (tracee->step.signal)
		fast_frame_built(t, tracee, tracee->step.signal);
	if (tracee->interrupted.code && frame_has_eintr(t, tracee))
		emit_interrupted(t, tracee);
	else
		restart_forget(t, tracee);
	return true;
}
