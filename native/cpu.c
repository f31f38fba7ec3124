/* SPDX-License-Identifier: GPL-2.0-only
 *
 * A stop hands the CPU from tracee to tracer and back. Across two CPUs each hand-over wakes a CPU that has gone idle, which
 * on a virtual machine costs several times the stop itself; on one CPU it is a context switch. So the tracer's own
 * affinity (never the tracee's) follows the tracee that is busy.
 */
#include "cpu.h"

#include <sched.h>

#include "proc.h"

#define LOOK_EVERY 256 /* stops: one look at /proc costs about as much as one stop */
#define BUSY_STOPS 64  /* a tick with fewer: the tracer is no burden wherever it runs */

static void pin(struct pt_tracer *t, int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((size_t)cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one) == 0)
		t->placement.cpu = cpu;
}

void cpu_follow(struct pt_tracer *t, const struct tracee *tracee)
{
	struct placement *p = &t->placement;
	int cpu;

	if (!p->enabled || ++p->stops % LOOK_EVERY)
		return;
	cpu = proc_cpu(tracee->tid);
	if (cpu >= 0 && cpu < CPU_SETSIZE && cpu != p->cpu)
		pin(t, cpu);
}

void cpu_tick(struct pt_tracer *t)
{
	struct placement *p = &t->placement;

	if (p->cpu >= 0 && p->stops < BUSY_STOPS) {
		sched_setaffinity(0, sizeof(p->original), &p->original);
		p->cpu = -1;
	}
	p->stops = 0;
}
