/* SPDX-License-Identifier: GPL-2.0-only
 * Programs that use seccomp themselves, beside the filter that ptmon gave them. */
#ifndef PT_SANDBOX_H
#define PT_SANDBOX_H

#include "tracer.h"

/* seccomp(2) or prctl(2) is about to be called. True if its exit-stop is needed. */
bool sandbox_enter(struct pt_tracer *t, struct tracee *tracee);
void sandbox_exit(struct tracee *tracee, int64_t result);
/* A tracee that was asked to stop has stopped, or is gone. */
void sandbox_seen(struct pt_tracer *t, struct tracee *tracee);
/* At each tick. */
void sandbox_tick(struct pt_tracer *t);
/* A tracee in SECCOMP_MODE_STRICT is about to make a call: ends it if the mode forbids that call. */
void sandbox_check_strict(struct tracee *tracee, enum abi abi, uint64_t number);
/* A seccomp-stop that is not ours: the program's own SECCOMP_RET_TRACE. The call fails, as without a tracer. */
void sandbox_foreign_trace(struct tracee *tracee);
/* Was the call that just "returned" trapped by a filter (SIGSYS)? It was not made then. */
bool sandbox_trapped(struct tracee *tracee, int64_t result);
/* The stopped tracee's call is not made; it fails with error. */
void sandbox_refuse(struct tracee *tracee, int error);

#endif
