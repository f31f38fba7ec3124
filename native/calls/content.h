/* SPDX-License-Identifier: GPL-2.0-or-later
 * Content: what a call has moved, as it stands in the tracee's memory (options.content). Unlike payload that is told
 * for the sake of names, it is told of each call on each socket. */
#ifndef PT_CONTENT_H
#define PT_CONTENT_H

#include "calls/outcome.h"

/* 0, or -ENOMEM. */
int content_create(struct pt_tracer *t);
void content_destroy(struct pt_tracer *t);
/* The tracee's call has returned result, and came to that: emits its PT_CONTENT. */
void content_tell(struct pt_tracer *t, struct tracee *tracee, const struct outcome *outcome, int64_t result);

#endif
