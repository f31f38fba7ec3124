/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a ring does it does to the fds of who submits it, or, by a kernel thread (IORING_SETUP_SQPOLL), to those of who
 * made it: IORING_OP_CLOSE, IORING_OP_ACCEPT, IORING_OP_FIXED_FD_INSTALL and others. So the fds of both are looked at
 * anew at each call (files.c), and no call of theirs passes without a stop.
 *
 * A ring comes by io_uring_setup(2), fork(2), execve(2) and pidfd_getfd(2); the kernel sends none over a socket
 * (net/core/scm.c, Linux 6.7). One that was there before an attach may have no fd (IORING_SETUP_REGISTERED_FD_ONLY):
 * that one is seen at its first io_uring_enter(2).
 */
#include "sockets/rings.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "machine/proc.h"
#include "machine/proc_path.h"
#include "records/emit.h"
#include "sockets/files.h"
#include "state/door.h"

static bool is_ring(pid_t tid, int fd)
{
	char target[PROC_FD_TARGET];

	return proc_fd_target(tid, fd, target) == 0 && strcmp(target, "anon_inode:[io_uring]") == 0;
}

/* Is one of its fds a ring? Where they can't be read: otherwise. */
static bool has_ring(pid_t tid, bool otherwise)
{
	char path[PROC_PATH];
	struct dirent *entry;
	bool found = false;
	DIR *folder;

	if (proc_path(path, tid, "fd") < 0)
		return otherwise;
	folder = opendir(path);
	if (!folder)
		return otherwise;
	while (!found && (entry = readdir(folder)))
		found = entry->d_name[0] != '.' && is_ring(tid, atoi(entry->d_name));
	closedir(folder);
	return found;
}

void rings_used(struct pt_tracer *t, struct tracee *tracee, const struct syscall_entry *entry)
{
	if (tracee->group->counted)
		emit_warning(t, tracee, PT_REASON_IO_URING, entry, 0);
	if (tracee->files->unsure & UNSURE_RINGS)
		return;
	files_distrust(t, tracee, UNSURE_RINGS);
	fast_withdraw(t, tracee, PT_FALLBACK_RINGS);
}

void rings_got(struct pt_tracer *t, struct tracee *tracee, const struct syscall_entry *entry, int fd)
{
	char target[PROC_FD_TARGET];

	if (is_ring(tracee->tid, fd))
		rings_used(t, tracee, entry);
	else if (proc_fd_target(tracee->tid, fd, target) == -EACCES)
		emit_warning(t, tracee, PT_REASON_UNREADABLE, entry, EACCES);
}

void rings_found(struct pt_tracer *t, struct tracee *tracee)
{
	if (has_ring(tracee->tid, false))
		rings_used(t, tracee, NULL);
}

void rings_kept(struct pt_tracer *t, struct tracee *tracee)
{
	const bool had = tracee->files->unsure & UNSURE_RINGS;

	/* Close-on-exec is what a ring has from its birth. */
	if (!tracee->fresh && !had)
		return;
	tracee->files->unsure &= ~(unsigned int)UNSURE_RINGS;
	if (has_ring(tracee->tid, had))
		rings_used(t, tracee, NULL);
}

void rings_inherited(struct tracee *child, const struct tracee *parent)
{
	files_copied(child, parent->files);
	if (child->files->unsure)
		child->group->fast.slow = true;
}

void rings_shared(struct pt_tracer *t, struct tracee *tracee)
{
	if (tracee->files->unsure & UNSURE_SHARED)
		return;
	files_distrust(t, tracee, UNSURE_SHARED);
	fast_withdraw(t, tracee, PT_FALLBACK_RINGS);
}
