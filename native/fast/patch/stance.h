/* SPDX-License-Identifier: GPL-2.0-or-later
 * Where a thread is, found out without interrupting it. */
#ifndef PT_FAST_STANCE_H
#define PT_FAST_STANCE_H

#include "state/tracer.h"

enum stance {
	STANCE_STANDS,	/* in a ptrace-stop, or it is gone */
	STANCE_RETURNS, /* in the kernel, and it stops once more before it runs any code of the program */
	STANCE_SLEEPS,	/* in the kernel; it goes on at *instruction as soon as it wakes up, and nobody is told */
	STANCE_RUNS	/* or may */
};

enum stance stance_of(struct pt_tracer *t, pid_t tid, uint64_t *instruction);

#endif
