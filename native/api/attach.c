/* SPDX-License-Identifier: GPL-2.0-or-later
 * An attach, from its begin to its end. */
#include <errno.h>

#include "loop/detach.h"
#include "loop/follow.h"
#include "loop/loop.h"
#include "loop/signals.h"
#include "records/emit.h"

#define DETACH_PATIENCE_NS (3 * NSEC_PER_SEC)
#define DETACH_GRACE_NS (NSEC_PER_SEC / 10) /* for those in calls that would be cut short */

int pt_attach(struct pt_tracer *t, int pid, int32_t *step)
{
	*step = PT_STEP_READ;
	return t->foreign_proc ? -EXDEV : follow_begin(t, pid, step);
}

int pt_detach(struct pt_tracer *t, struct pt_batch *batch)
{
	const int64_t begin = now_ns(), end = begin + DETACH_PATIENCE_NS, grace = begin + DETACH_GRACE_NS;

	emit_continue(t);
	detach_begin(t);
	signals_start_ticks(t);
	/* A tracee that can't stop (uninterruptible sleep, such as a parent in vfork) is let go by the kernel when
	 * ptmon exits. */
	while (t->tracee_count && now_ns() < end) {
		unsigned int left = detach_interrupt(t);

		if ((left == t->tracee_count && now_ns() > grace) || loop_step(t) == -ECHILD)
			break;
	}
	signals_stop_ticks(t);
	detach_end(t);
	emit_end(t, batch);
	return 0;
}
