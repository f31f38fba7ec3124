/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A time stamp lies on the line through what the counter was now, and what it was some time ago: long enough for what
 * the two looks were wrong by to be nothing, and not so long that the clock has been set to another pace since
 * (adjtimex(2)).
 */
#include "fast/count/stamp.h"

#include <x86intrin.h>

#define BETWEEN_CYCLES 2000 /* a look that took longer was most likely interrupted */
#define LOOKS 4
#define AGE_NS (NSEC_PER_SEC / 2)

enum { NOW, YOUNGER, OLDER };

/* A race with the scheduler and the hypervisor: either may take the CPU away between the one look and the other. */
static struct stamp look(void)
{
	struct stamp best = {0};
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < LOOKS && least > BETWEEN_CYCLES; i++) {
		const uint64_t before = __rdtsc();
		const int64_t time = now_ns();
		const uint64_t between = __rdtsc() - before;

		if (between < least) {
			best = (struct stamp){.tsc = before + between / 2, .time = time};
			least = between;
		}
	}
	return best;
}

void stamp_take(struct pt_tracer *t)
{
	if (!t->options.aggregate)
		stamp_look(t); /* else nobody wants to know: records bear no time */
}

void stamp_look(struct pt_tracer *t)
{
	struct stamp *stamps = t->fast_state.stamps;

	stamps[NOW] = look();
	if (!stamps[OLDER].time)
		stamps[OLDER] = stamps[YOUNGER] = stamps[NOW];
	if (stamps[NOW].time - stamps[YOUNGER].time > AGE_NS) {
		stamps[OLDER] = stamps[YOUNGER];
		stamps[YOUNGER] = stamps[NOW];
	}
	t->now = stamps[NOW].time;
}

uint64_t stamp_time(const struct pt_tracer *t, uint64_t tsc)
{
	const struct stamp *now = &t->fast_state.stamps[NOW], *then = &t->fast_state.stamps[OLDER];
	double back;

	if (tsc >= now->tsc || now->tsc <= then->tsc)
		return (uint64_t)now->time;
	back = (double)(now->tsc - tsc) * (double)(now->time - then->time) / (double)(now->tsc - then->tsc);
	return back < (double)now->time ? (uint64_t)(now->time - (int64_t)back) : 0;
}
