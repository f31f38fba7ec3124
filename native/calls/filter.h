/* SPDX-License-Identifier: GPL-2.0-or-later
 * The seccomp filter that makes only watched calls stop. */
#ifndef PT_FILTER_H
#define PT_FILTER_H

#include <linux/filter.h>

#include "state/tracer.h"

/* What a seccomp-stop of ours bears as its data: a filter of the program's own is not likely to choose it. */
#define FILTER_COOKIE 0x7074

#define FILTER_MOST BPF_MAXINSNS /* instructions */

/* Filters stack, and the most severe verdict wins: so one that says "stop" is not changed by one that does not. */
enum filter_part {
	FILTER_FIRST,  /* for a process that has no socket: what may bring one, and what stops in any process (dry.c) */
	FILTER_SECOND, /* what it gets on top of that before it has one */
	FILTER_WHOLE   /* both, for one that has sockets from the start: without what may bring one */
};

/* Writes the program for the calls of the table, and those that are watched or refused. Returns its length in
 * instructions; 0: there are too many. */
unsigned int filter_build(struct sock_filter program[FILTER_MOST], const struct pt_tracer *t, enum filter_part part);
/* Installs it for the calling thread and all its children, for good. 0 or -errno. Async-signal-safe. */
int filter_install(const struct sock_filter *program, unsigned int length);

#endif
