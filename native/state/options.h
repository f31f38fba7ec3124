/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PT_OPTIONS_H
#define PT_OPTIONS_H

#include <sys/ptrace.h>

#include "state/tracer.h"

/* The PTRACE_O_* that every tracee gets, launched or attached. */
static inline unsigned long options_of(const struct pt_tracer *t)
{
	unsigned long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT |
				PTRACE_O_TRACESECCOMP;

	if (!t->options.no_follow)
		options |= PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK;
	return options;
}

#endif
