/* SPDX-License-Identifier: GPL-2.0-or-later
 * What is to be done at a call of each rule (syscalls/syscalls.h). A new rule is a row of rules.c, and its handlers. */
#ifndef PT_RULES_H
#define PT_RULES_H

#include "state/tracer.h"

#define RULE_VALUES 4

/* Which of these calls stop by our filter; a process without a filter stops at all of them. */
struct rule_stops {
	enum {
		STOPS_EACH,
		STOPS_NONE,
		STOPS_WITH_BITS, /* if that argument has one of these bits */
		STOPS_AT_VALUES, /* if that argument is one of these values */
		STOPS_CLONING	 /* clone(2): if it says CLONE_UNTRACED, or shares its fds with another process */
	} kind;
	uint8_t argument;
	uint32_t bits;
	uint32_t values[RULE_VALUES];
};

struct rule_ops {
	/* The tracee is about to make the call. True: its exit-stop is needed. NULL: there is nothing to do. */
	bool (*enter)(struct pt_tracer *t, struct tracee *tracee);
	/* It has returned. NULL: there is nothing to do. */
	void (*exit)(struct pt_tracer *t, struct tracee *tracee, int64_t result);
	/* The errno with which the filter itself answers the call, or 0: it does not. NULL: it never does. */
	int (*refused)(const struct pt_tracer *t);
	struct rule_stops stops;
	struct rule_stops dry; /* in a process that has no socket */
};

/* The row of the rule that this call has. */
const struct rule_ops *rules_of(const struct syscall_entry *entry);

#endif
