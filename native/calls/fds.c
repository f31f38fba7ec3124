/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "calls/fds.h"

#include <errno.h>
#include <linux/close_range.h>
#include <sched.h>

#include "process/tracee.h"
#include "records/emit.h"
#include "sockets/files.h"
#include "sockets/rows.h"
#include "state/door.h"

/* The fd that the call is made on. */
static int fd_of(const struct call *call)
{
	return (int)call->args[call->entry->fd];
}

bool fds_close(struct pt_tracer *t, struct tracee *tracee)
{
	files_close(t, tracee, fd_of(&tracee->call), socket_closing);
	return false;
}

bool fds_dup(struct pt_tracer *t, struct tracee *tracee)
{
	const int fd = fd_of(&tracee->call);

	if (fd != (int)tracee->call.args[0])
		files_close(t, tracee, fd, socket_closing);
	return false;
}

bool fds_close_range(struct pt_tracer *t, struct tracee *tracee)
{
	unsigned int first = (unsigned int)tracee->call.args[0], last = (unsigned int)tracee->call.args[1];
	const uint64_t flags = tracee->call.args[2];
	const bool unshares = flags & CLOSE_RANGE_UNSHARE;

	/* With CLOEXEC nothing is closed now. With UNSHARE the exit shows the tracee a table of its own. */
	if (first > last || flags & CLOSE_RANGE_CLOEXEC)
		return unshares;
	files_each(t, tracee, first, last, socket_closing);
	if (!unshares) {
		files_closing(t, tracee, first, last);
		fast_fds_forgotten(t, tracee->files, first, last);
	}
	return unshares;
}

bool fds_unshare(struct pt_tracer *t, struct tracee *tracee)
{
	(void)t;
	return tracee->call.args[0] & CLONE_FILES;
}

void fds_unshared(struct pt_tracer *t, struct tracee *tracee, int64_t result)
{
	if (result == 0 && files_replace(t, tracee) < 0)
		emit_warning(t, tracee, PT_REASON_NO_MEMORY, tracee->call.entry, ENOMEM);
}

/* Those with close-on-exec are gone when PTRACE_EVENT_EXEC is reported. If the execve fails, or they stay open, a later
 * reading replaces this one. */
bool fds_execute(struct pt_tracer *t, struct tracee *tracee)
{
	files_each(t, tracee, 0, UINT32_MAX, socket_may_close);
	return false;
}
