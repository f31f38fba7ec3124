/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * execve and exit: what becomes of a thread group, and what is emitted of it.
 */
#include "loop/program.h"

#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>

#include "calls/call.h"
#include "calls/dry.h"
#include "machine/pidfd.h"
#include "machine/proc_program.h"
#include "machine/registers.h"
#include "process/breakpoint.h"
#include "process/clone.h"
#include "process/stack.h"
#include "process/tracee.h"
#include "records/emit.h"
#include "sockets/closing.h"
#include "sockets/files.h"
#include "sockets/rings.h"
#include "sockets/rows.h"
#include "state/door.h"

#define PROGRAM_SIZE 16384 /* bytes of name, path and argv that are kept */

struct pt_record *program_emit(struct pt_tracer *t, struct tracee *tracee, enum pt_kind kind)
{
	char program[PROGRAM_SIZE];
	size_t length = kind == PT_EXEC ? stack_describe(tracee->tid, program, sizeof(program)) : 0;

	if (!length)
		length = proc_describe(tracee->group->tgid, program, sizeof(program));
	return emit(t, kind, tracee, program, length);
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

static void report_undecoded(struct pt_tracer *t, struct tracee *tracee)
{
	if (tracee->group && (tracee->group->counted || t->orders.any))
		emit_warning(t, tracee, PT_REASON_COMPAT, NULL, 0);
}

void program_look(struct pt_tracer *t, struct tracee *tracee)
{
	if (registers_undecoded(tracee->tid))
		report_undecoded(t, tracee);
}

void program_undecoded(struct pt_tracer *t, struct tracee *tracee, uint32_t arch)
{
	if (abi_of(arch) == ABI_COUNT)
		report_undecoded(t, tracee);
}

enum next program_executed(struct pt_tracer *t, struct tracee *tracee, pid_t tgid)
{
	unsigned long former = (unsigned long)tgid;
	struct pt_record *record;

	ptrace(PTRACE_GETEVENTMSG, tgid, 0, &former);
	tracee = become_leader(t, tracee, tgid, (pid_t)former);
	if (!tracee)
		return NEXT_EXIT; /* there was no memory for it when it was born */
	tracee_share_end(tracee->group);
	breakpoint_end(t, tracee->group);
	fast_executed(t, tracee);
	if (files_replace(t, tracee) < 0)
		emit_warning(t, tracee, PT_REASON_NO_MEMORY, NULL, ENOMEM);
	dry_executed(t, tracee);
	if (t->only)
		tracee->group->counted = proc_runs(tgid, t->only);
	tracee->group->hidden = false; /* as far as it is known */
	rings_kept(t, tracee);
	if (tracee->fresh) {
		tracee->fresh = false;
		t->first.executed = true;
	}
	if (tracee->group->counted && !tracee->group->emitted)
		clone_emit(t, tracee);
	record = tracee->group->counted ? program_emit(t, tracee, PT_EXEC) : NULL;
	if (record)
		record->value = (int32_t)former;
	program_look(t, tracee); /* our filter lets its calls pass: this is the only stop that tells */
	return NEXT_RESUME;
}

enum next program_exiting(struct pt_tracer *t, struct tracee *tracee)
{
	fast_exiting(t, tracee);
	call_cut_short(t, tracee);
	closing_settle(tracee);
	if (tracee->transfers.any) /* the others are reported by their process's name, for to read /proc costs as much
				      as a stop */
		proc_name(tracee->tid, tracee->name);
	if (tracee->state != TRACEE_EXITING && files_last(tracee))
		files_each(t, tracee, 0, UINT32_MAX, socket_closing);
	/* Through a thread that has exited the kernel finds no fd (EBADF); the others go on without it. */
	if (tracee->files->pidfd_tid == tracee->tid)
		pidfd_drop(t, tracee->files);
	tracee->state = TRACEE_EXITING;
	return NEXT_EXIT;
}

enum next program_gone(struct pt_tracer *t, struct tracee *tracee, int status)
{
	struct pt_record *record;

	call_abandon(t, tracee);
	if (tracee->group && (tracee->group->emitted || tracee->tid == t->first.pid)) {
		record = emit(t, PT_EXIT, tracee, tracee->name, strlen(tracee->name));
		if (record)
			record->value = status;
	}
	tracee_destroy(t, tracee);
	return NEXT_GONE;
}
