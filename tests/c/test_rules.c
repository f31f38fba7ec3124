/* SPDX-License-Identifier: GPL-2.0-or-later
 * Each call of the table has handlers; what moves bytes is looked at before and after, and stops by the filter. */
#include <string.h>

#include "calls/rules.h"
#include "check.h"
#include "syscalls/syscalls.h"

static void test_each_call_has_a_handler(void)
{
	unsigned int count;
	const struct syscall_entry *table = syscall_table(&count);

	for (unsigned int i = 0; i < count; i++)
		CHECK(rules_of(&table[i])->enter || table[i].rule == RULE_SOCKETCALL || syscall_is_source(&table[i]));
}

static void test_transfers_are_seen_from_begin_to_end(void)
{
	unsigned int count;
	const struct syscall_entry *table = syscall_table(&count);

	for (unsigned int i = 0; i < count; i++) {
		const struct rule_ops *ops = rules_of(&table[i]);

		CHECK(!syscall_transfers(&table[i]) || (ops->exit && ops->stops.kind == STOPS_EACH && !ops->refused));
	}
}

static void test_what_may_bring_a_socket_stops_where_there_is_none(void)
{
	unsigned int count;
	const struct syscall_entry *table = syscall_table(&count);

	for (unsigned int i = 0; i < count; i++) {
		const struct rule_ops *ops = rules_of(&table[i]);

		CHECK(syscall_transfers(&table[i]) ==
		      (ops->dry.kind == STOPS_NONE && ops->exit == rules_of(table)->exit));
		CHECK(!syscall_is_source(&table[i]) || ops->dry.kind != STOPS_NONE);
		CHECK(!syscall_is_source(&table[i]) || ops->stops.kind == STOPS_NONE);
	}
}

static void test_io_uring_is_refused_where_that_was_asked_for(void)
{
	static struct pt_tracer tracer;
	const struct rule_ops *ops = rules_of(syscall_named("io_uring_setup"));

	CHECK(ops->refused(&tracer) == 0);
	tracer.options.no_io_uring = 1;
	CHECK(ops->refused(&tracer) > 0);
}

int main(void)
{
	test_each_call_has_a_handler();
	test_transfers_are_seen_from_begin_to_end();
	test_what_may_bring_a_socket_stops_where_there_is_none();
	test_io_uring_is_refused_where_that_was_asked_for();
	return 0;
}
