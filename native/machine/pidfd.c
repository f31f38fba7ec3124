/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/pidfd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL /* Linux 6.9: a pidfd of a thread that is not the leader */
#endif

int pidfd_open_thread(pid_t tid)
{
	int fd = (int)syscall(SYS_pidfd_open, tid, PIDFD_THREAD);

	if (fd < 0 && errno == EINVAL)
		fd = (int)syscall(SYS_pidfd_open, tid, 0); /* before Linux 6.9: leaders only */
	return fd < 0 ? -errno : fd;
}

void pidfd_drop(struct pt_tracer *t, struct files *files)
{
	struct files **at = &t->with_pidfd;

	if (files->pidfd < 0)
		return;
	close(files->pidfd);
	files->pidfd = -1;
	while (*at != files)
		at = &(*at)->next_with_pidfd;
	*at = files->next_with_pidfd;
}

int pidfd_get(struct pt_tracer *t, struct files *files, pid_t tid)
{
	int fd;

	if (files->pidfd >= 0)
		return files->pidfd;
	fd = pidfd_open_thread(tid);
	if (fd == -EMFILE) {
		/* More processes than ptmon may have fds: the others will open theirs anew when they need them. */
		while (t->with_pidfd)
			pidfd_drop(t, t->with_pidfd);
		fd = pidfd_open_thread(tid);
	}
	if (fd < 0)
		return fd;
	files->pidfd = fd;
	files->pidfd_tid = tid;
	files->next_with_pidfd = t->with_pidfd;
	t->with_pidfd = files;
	return fd;
}
