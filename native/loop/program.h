/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PT_PROGRAM_H
#define PT_PROGRAM_H

#include "process/next.h"
#include "state/tracer.h"

/* Emits what program runs in the tracee's process (PT_EXEC or PT_ATTACHED). */
struct pt_record *program_emit(struct pt_tracer *t, struct tracee *tracee, enum pt_kind kind);
/* PTRACE_EVENT_EXEC; tracee is what tgid stood for before the call, which may be another thread or NULL. */
enum next program_executed(struct pt_tracer *t, struct tracee *tracee, pid_t tgid);
/* Reports it if the tracee, which stands, runs code of an ABI whose calls can't be decoded (32-bit ARM). */
void program_look(struct pt_tracer *t, struct tracee *tracee);
/* The same, where the ABI of a call is known (AUDIT_ARCH_*). */
void program_undecoded(struct pt_tracer *t, struct tracee *tracee, uint32_t arch);
/* PTRACE_EVENT_EXIT: memory and fds are still there. */
enum next program_exiting(struct pt_tracer *t, struct tracee *tracee);
/* It was waited for, and is no more. */
enum next program_gone(struct pt_tracer *t, struct tracee *tracee, int status);

#endif
