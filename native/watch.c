/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>

#include "tracer.h"

int pt_watch(struct pt_tracer *t, const struct pt_watch *watch)
{
	(void)t, (void)watch;
	return -ENOSYS;
}

int pt_deny(struct pt_tracer *t, const struct pt_rule *rule)
{
	(void)t, (void)rule;
	return -ENOSYS;
}

int pt_answer(struct pt_tracer *t, int tid, int made, int64_t result)
{
	(void)t, (void)tid, (void)made, (void)result;
	return -ENOSYS;
}
