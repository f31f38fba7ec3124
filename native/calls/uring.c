/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "calls/uring.h"

#include <errno.h>

#include "calls/sandbox.h"
#include "sockets/rings.h"

int uring_refused(const struct pt_tracer *t)
{
	return t->options.no_io_uring ? ENOSYS : 0;
}

bool uring_setup(struct pt_tracer *t, struct tracee *tracee)
{
	const int error = uring_refused(t);

	if (error)
		sandbox_answer(tracee, -error);
	return !error;
}

void uring_made(struct pt_tracer *t, struct tracee *tracee, int64_t result)
{
	if (result >= 0)
		rings_used(t, tracee, tracee->call.entry);
}

bool uring_enter(struct pt_tracer *t, struct tracee *tracee)
{
	rings_used(t, tracee, tracee->call.entry);
	return false;
}

void uring_got(struct pt_tracer *t, struct tracee *tracee, int64_t result)
{
	if (result >= 0)
		rings_got(t, tracee, tracee->call.entry, (int)result);
}
