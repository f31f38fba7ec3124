/* SPDX-License-Identifier: GPL-2.0-only */
#include "fast/twin.h"

#include "syscalls.h"

bool twin_watches(uint32_t number)
{
	const struct syscall_entry *entry = syscall_find(ABI_NATIVE, number);

	return entry && entry->rule != RULE_CLONE && entry->rule != RULE_CLONE3;
}
