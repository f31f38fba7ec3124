/* SPDX-License-Identifier: GPL-2.0-only
 * System calls that a stopped tracee is made to do. */
#ifndef PT_FAST_INJECT_H
#define PT_FAST_INJECT_H

#include "registers.h"
#include "tracer.h"

struct injection {
	pid_t tid;
	struct registers saved;
	uint64_t mask;	 /* of signals, as it was */
	uint64_t gadget; /* address of a syscall instruction */
	bool stop_again; /* a stop signal came meanwhile: it is sent anew at the end */
};

/* The tracee must be in a ptrace-stop, of 64-bit code. Its signals wait until the end. 0; -EAGAIN: that is no
 * syscall instruction; -errno. */
int inject_begin(struct injection *injection, pid_t tid, uint64_t gadget);
/* Does one call and returns its result; -ESRCH: the tracee died. */
int64_t inject_call(struct pt_tracer *t, struct injection *injection, long number, const uint64_t args[6]);
/* The tracee's registers are as before. It stands in a syscall-exit-stop. */
void inject_end(struct injection *injection);

#endif
