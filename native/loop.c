/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The hot loop. Every stop is resumed on every path, also that of a tracee for which there was no memory.
 */
#include "loop.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "call.h"
#include "clone.h"
#include "detach.h"
#include "emit.h"
#include "files.h"
#include "filter.h"
#include "proc.h"
#include "restart.h"
#include "sandbox.h"
#include "signals.h"
#include "sockets.h"
#include "stop.h"
#include "tracee.h"

#define YIELD_NS 50000
#define PROGRAM_SIZE 8192 /* bytes of name, path and argv that are kept */

struct pt_record *loop_tell_program(struct pt_tracer *t, struct tracee *tracee, enum pt_kind kind)
{
	char program[PROGRAM_SIZE];

	return emit(t, kind, tracee, program, proc_describe(tracee->group->tgid, program, sizeof(program)));
}

static void on_call_entry(struct pt_tracer *t, struct tracee *tracee, uint32_t arch, uint64_t number,
			  const uint64_t args[6])
{
	enum abi abi = abi_of(arch);

	if (abi == ABI_X86_64 && number & X32_SYSCALL_BIT && number != (uint64_t)-1) {
		emit_warning(t, tracee, PT_REASON_X32, NULL, 0);
		return;
	}
	if (tracee->strict)
		sandbox_check_strict(tracee, abi, number);
	tracee->entered = call_enter(t, tracee, abi, number, args);
}

static void on_seccomp(struct pt_tracer *t, struct tracee *tracee)
{
	struct __ptrace_syscall_info info;
	uint64_t args[6];

	if (ptrace(PTRACE_GET_SYSCALL_INFO, tracee->tid, sizeof(info), &info) <= 0)
		return tracee_resume(tracee, tracee_request(t, tracee), 0);
	if (info.seccomp.ret_data != FILTER_COOKIE || !t->filtered) {
		sandbox_foreign_trace(tracee);
	} else if (!tracee->entered) {
		memcpy(args, info.seccomp.args, sizeof(args));
		on_call_entry(t, tracee, info.arch, info.seccomp.nr, args);
	}
	tracee_resume(tracee, tracee->entered ? PTRACE_SYSCALL : tracee_request(t, tracee), 0);
}

static void on_syscall(struct pt_tracer *t, struct tracee *tracee)
{
	struct __ptrace_syscall_info info;
	uint64_t args[6];

	/* Entry or exit is never guessed by turns: a thread that was seized inside a call shows an exit first. */
	if (ptrace(PTRACE_GET_SYSCALL_INFO, tracee->tid, sizeof(info), &info) <= 0)
		info.op = PTRACE_SYSCALL_INFO_NONE;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		memcpy(args, info.entry.args, sizeof(args));
		on_call_entry(t, tracee, info.arch, info.entry.nr, args);
		tracee->entered = true;
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
		call_exit(t, tracee, info.exit.rval);
		tracee->entered = false;
		files_settle(tracee);
	}
	tracee_resume(tracee, tracee_request(t, tracee), 0);
}

static void on_signal(struct pt_tracer *t, struct tracee *tracee, int signal)
{
	if (tracee->stepping && restart_stepped(t, tracee, signal))
		return tracee_resume(tracee, tracee_request(t, tracee), 0);
	if (tracee->group->tgid == t->first)
		signals_note_delivered(t, signal);
	tracee_resume(tracee, restart_at_signal(t, tracee, signal), signal);
}

static void on_group_stop(struct pt_tracer *t, struct tracee *tracee)
{
	tracee_resume(tracee, PTRACE_LISTEN, 0);
	if (tracee->tid == t->first)
		signals_first_stopped(t);
}

static void on_interrupt(struct pt_tracer *t, struct tracee *tracee)
{
	if (tracee->state == TRACEE_NEWBORN || tracee->state == TRACEE_EXPECTED)
		return clone_birth(t, tracee);
	if (tracee->tid == t->first)
		t->first_stopped = false;
	tracee_resume(tracee, tracee_request(t, tracee), 0);
}

/* The thread that called execve has the leader's tid from now on, and is alone. */
static struct tracee *become_leader(struct pt_tracer *t, struct tracee *tracee, pid_t tgid, pid_t former)
{
	struct tracee *caller = former == tgid ? tracee : tracee_find(t, former);

	if (!caller || caller == tracee)
		return tracee;
	/* The old leader is gone without a report of its own. */
	if (tracee) {
		call_abandon(t, tracee);
		tracee_destroy(t, tracee);
	}
	tracee_rename(t, caller, tgid);
	return caller;
}

static void on_exec(struct pt_tracer *t, struct tracee *tracee, pid_t tgid)
{
	unsigned long former = (unsigned long)tgid;
	struct pt_record *record;

	ptrace(PTRACE_GETEVENTMSG, tgid, 0, &former);
	tracee = become_leader(t, tracee, tgid, (pid_t)former);
	if (!tracee) {
		ptrace(PTRACE_CONT, tgid, 0, 0); /* there was no memory for it when it was born */
		return;
	}
	if (files_replace(t, tracee) < 0)
		emit_warning(t, tracee, PT_REASON_NO_MEMORY, NULL, ENOMEM);
	if (tracee->fresh) {
		tracee->fresh = false;
		t->first_executed = true;
	}
	if (t->only)
		tracee->group->counted = proc_runs(tgid, t->only);
	if (tracee->group->counted && !tracee->group->told)
		clone_tell(t, tracee);
	record = tracee->group->counted ? loop_tell_program(t, tracee, PT_EXEC) : NULL;
	if (record)
		record->value = (int32_t)former;
	tracee_resume(tracee, tracee_request(t, tracee), 0);
}

static void on_exit_event(struct pt_tracer *t, struct tracee *tracee)
{
	call_cut_short(t, tracee);
	files_settle(tracee);
	if (tracee->transferred) /* the others bear their process's name: a look at /proc costs as much as a stop */
		proc_name(tracee->tid, tracee->name);
	if (!tracee->exiting && files_last(tracee))
		files_each(t, tracee, 0, UINT32_MAX, socket_closing);
	tracee->exiting = true;
	tracee_resume(tracee, PTRACE_CONT, 0);
}

static void on_gone(struct pt_tracer *t, struct tracee *tracee, int status)
{
	struct pt_record *record;

	call_abandon(t, tracee);
	if (tracee->group && (tracee->group->told || tracee->tid == t->first)) {
		record = emit(t, PT_EXIT, tracee, tracee->name, strlen(tracee->name));
		if (record)
			record->value = status;
	}
	tracee_destroy(t, tracee);
}

void loop_dispatch(struct pt_tracer *t, pid_t tid, int status)
{
	enum stop_kind kind = stop_kind(status);
	struct tracee *tracee = tracee_find(t, tid);

	t->now = now_ns();
	if (!tracee && kind != STOP_EXITED && kind != STOP_KILLED && kind != STOP_EXEC) {
		/* A child whose parent's event has not come yet. It waits, unless there is no memory for it. */
		if (!tracee_create(t, tid))
			ptrace(t->filtered ? PTRACE_CONT : PTRACE_SYSCALL, tid, 0, 0);
		return;
	}
	if (!tracee && kind != STOP_EXEC)
		return; /* not a tracee: another child of this process */
	if (tracee && !tracee->entered)
		files_settle(tracee);
	if (t->detaching && detach_at_stop(t, tracee, kind, status))
		return;
	switch (kind) {
	case STOP_SYSCALL:
		on_syscall(t, tracee);
		break;
	case STOP_SECCOMP:
		on_seccomp(t, tracee);
		break;
	case STOP_EXITED:
	case STOP_KILLED:
		return on_gone(t, tracee, status);
	case STOP_SIGNAL:
		on_signal(t, tracee, WSTOPSIG(status));
		break;
	case STOP_GROUP:
		on_group_stop(t, tracee);
		break;
	case STOP_INTERRUPT:
		return on_interrupt(t, tracee);
	case STOP_FORK:
		clone_event(t, tracee);
		tracee_resume(tracee, tracee->entered ? PTRACE_SYSCALL : tracee_request(t, tracee), 0);
		break;
	case STOP_EXEC:
		return on_exec(t, tracee, tid);
	case STOP_EXIT:
		on_exit_event(t, tracee);
		break;
	case STOP_OTHER:
		tracee_resume(tracee, tracee_request(t, tracee), 0);
		break;
	}
}

/* A stop hands the CPU from tracee to tracer and back. If the tracer blocks, each hand-over wakes a CPU that has gone
 * to sleep, which on a virtual machine costs several times the stop itself. So it first yields for a moment: the tracee
 * runs meanwhile, mostly on the same CPU, and its next stop is found without any wake-up. The tracer's own CPU affinity
 * was tried instead, and lost: the kernel wakes the tracee on whatever CPU is idle. The bound matters: beside programs
 * that use the CPU a yield may last for their whole time slice. */
static pid_t wait_any(int *status)
{
	int64_t end = now_ns() + YIELD_NS;
	pid_t tid;

	do {
		tid = waitpid(-1, status, __WALL | WNOHANG);
		if (tid)
			return tid;
		sched_yield();
	} while (now_ns() < end);
	return waitpid(-1, status, __WALL);
}

int loop_step(struct pt_tracer *t)
{
	int status;
	pid_t tid = wait_any(&status);

	if (tid < 0) {
		t->now = now_ns();
		return -errno;
	}
	loop_dispatch(t, tid, status);
	return 0;
}
