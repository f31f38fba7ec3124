/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rules: calls that are refused. */
#ifndef PT_DENY_H
#define PT_DENY_H

#include "state/tracer.h"

struct denial;

/* The first rule of the list that refuses or notes this call of the stopped tracee, or NULL. */
const struct denial *deny_find(pid_t tid, const struct denial *rules, const struct pt_call *call);
/* Does the rule match this struct sockaddr? Pure. */
bool deny_matches(const struct denial *rule, const uint8_t *address, size_t length);
/* The errno with which the first rule of the list refuses every call, so that nobody needs to look at it; 0: somebody
 * has to. */
int deny_always(const struct denial *rules);
/* 0: the call is noted, and made. */
int deny_error(const struct denial *rule);
int deny_id(const struct denial *rule);
bool deny_emits(const struct denial *rule);
/* What is kept of a refused call: what its watch (or NULL) says, and the address that the rule looks at. */
struct pt_watch deny_captures(const struct denial *rule, const struct pt_watch *watch);
void deny_destroy(struct denial *rules);

#endif
