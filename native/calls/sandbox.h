/* SPDX-License-Identifier: GPL-2.0-or-later
 * Programs that use seccomp themselves, beside the filter that ptmon gave them. */
#ifndef PT_SANDBOX_H
#define PT_SANDBOX_H

#include <sys/prctl.h>

#include "state/tracer.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59 /* Linux 5.11 */
#endif

/* The operations of prctl(2) that sandbox_enter() looks at. */
#define SANDBOX_PRCTLS {PR_SET_SECCOMP, PR_SET_SYSCALL_USER_DISPATCH, PR_SET_DUMPABLE, PR_SET_TSC}

/* seccomp(2) or prctl(2), with these arguments: will ptmon be unable to have the tracee make calls behind it? */
bool sandbox_closes(const struct syscall_entry *entry, const uint64_t args[6]);
/* seccomp(2) or prctl(2) is about to be called. True if its exit-stop is needed. */
bool sandbox_enter(struct pt_tracer *t, struct tracee *tracee);
void sandbox_exit(struct pt_tracer *t, struct tracee *tracee, int64_t result);
/* It is attached. If it has a filter it may have a supervisor, too, of which nothing is seen. */
void sandbox_found(struct pt_tracer *t, struct tracee *tracee);
/* A tracee in SECCOMP_MODE_STRICT is about to make a call: if the mode forbids that call it ends it. False then. */
bool sandbox_check_strict(struct tracee *tracee, enum abi abi, uint64_t number);
/* A seccomp-stop that is not ours: the program's own SECCOMP_RET_TRACE. The call fails, as without a tracer. */
void sandbox_foreign_trace(struct tracee *tracee);
/* Was the call that just "returned" trapped by a filter (SIGSYS)? It was not made then. */
bool sandbox_trapped(struct tracee *tracee, int64_t result);
/* The tracee stands before a call, which is not made; it returns result (a value or -errno). */
void sandbox_answer(struct tracee *tracee, int64_t result);
/* It stands behind a call: if that was to return something else (sandbox_answer) it does from now on. Returns the
 * result that the program sees. */
int64_t sandbox_result(struct tracee *tracee, int64_t result);

#endif
