/* SPDX-License-Identifier: GPL-2.0-only */
#include "fast/image/twin.h"

#include "calls/watch.h"
#include "fast/changes.h"
#include "fast/fast.h"
#include "syscalls/syscalls.h"

bool twin_watches(const struct pt_tracer *t, uint32_t number)
{
	const struct syscall_entry *entry = syscall_find(ABI_NATIVE, number);

	if (watch_order(t, false, number) || fast_touches(ABI_NATIVE, number) || changes_may(number))
		return true;
	if (!entry)
		return false;
	/* A child that is not followed is not to run in this memory (clone.c). */
	return t->options.no_follow ||
	       (entry->rule != RULE_CLONE && entry->rule != RULE_CLONE3 && entry->rule != RULE_VFORK);
}
