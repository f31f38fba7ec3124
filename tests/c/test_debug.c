/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the tracer notes of its own work: nothing where nobody asks, the last entries else, and what followed a stop
 * stands in that stop's entry. */
#include <signal.h>

#include "check.h"
#include "records/debug.h"

static struct pt_debug noted;
static struct pt_tracer tracer;

static const struct pt_debug_entry *last(void)
{
	return &noted.entries[(noted.count - 1) % PT_DEBUG_ENTRIES];
}

static void check_only_what_is_asked_for(void)
{
	debug(&tracer, PT_DEBUG_DRAIN, 7, (struct pt_debug_entry){.count = 1});
	CHECK(noted.count == 0);
	tracer.debug = &noted;
	noted.what = PT_DEBUG_RING;
	debug(&tracer, PT_DEBUG_LEARNT, 7, (struct pt_debug_entry){.number = 1});
	debug(&tracer, PT_DEBUG_CODE, 7, (struct pt_debug_entry){.count = 1});
	debug_stop(&tracer, 7, 0);
	CHECK(noted.count == 0);
	debug(&tracer, PT_DEBUG_DRAIN, 7, (struct pt_debug_entry){.count = 1});
	CHECK(noted.count == 1 && last()->event == PT_DEBUG_DRAIN && last()->tid == 7 && last()->count == 1);
	CHECK(last()->time > 0);
}

static void check_what_follows_a_stop(void)
{
	noted.what = PT_DEBUG_STOPS;
	debug_stop(&tracer, 8, 3 << 8);
	CHECK(last()->event == PT_DEBUG_STOP && last()->status == 3 << 8 && last()->next == PT_DEBUG_IN_HAND);
	/* A child beside it, and what has happened meanwhile. */
	debug_add_next(&noted, 9, PT_DEBUG_CONT, 0);
	CHECK(last()->event == PT_DEBUG_RESUMED && last()->tid == 9 && last()->next == PT_DEBUG_CONT);
	debug_add_next(&noted, 8, PT_DEBUG_SYSCALL, SIGUSR1);
	CHECK(last()->tid == 9);
	CHECK(noted.entries[noted.stop - 1].next == PT_DEBUG_SYSCALL &&
	      noted.entries[noted.stop - 1].signal == SIGUSR1);
	/* Later, as a hook has answered. */
	debug_add_next(&noted, 8, PT_DEBUG_CONT, 0);
	CHECK(last()->event == PT_DEBUG_RESUMED && last()->tid == 8);
}

static void check_the_last_are_kept(void)
{
	const uint64_t before = noted.count;

	noted.what = PT_DEBUG_STOPS | PT_DEBUG_SOCKETS;
	debug_stop(&tracer, 8, 0);
	for (unsigned int i = 0; i < PT_DEBUG_ENTRIES; i++)
		debug(&tracer, PT_DEBUG_LEARNT, 7, (struct pt_debug_entry){.number = i});
	CHECK(noted.count == before + 1 + PT_DEBUG_ENTRIES);
	for (unsigned int i = 0; i < PT_DEBUG_ENTRIES; i++)
		CHECK(noted.entries[i].event == PT_DEBUG_LEARNT);
	/* Its stop's entry has been written over. */
	debug_add_next(&noted, 8, PT_DEBUG_GONE, 0);
	CHECK(last()->event == PT_DEBUG_RESUMED && last()->next == PT_DEBUG_GONE);
}

int main(void)
{
	check_only_what_is_asked_for();
	check_what_follows_a_stop();
	check_the_last_are_kept();
	return 0;
}
