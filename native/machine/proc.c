/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/proc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "machine/proc_path.h"

int64_t proc_status(pid_t tid, const char *field, int base)
{
	char status[4096];
	ssize_t length = proc_read(tid, "status", status, sizeof(status));
	size_t field_length = strlen(field);

	if (length < 0)
		return length;
	for (const char *line = status; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, field, field_length) == 0)
			return (int64_t)strtoull(line + field_length, NULL, base);
	}
	return -ENOENT;
}

int64_t proc_filters(pid_t tid)
{
	int64_t filters = proc_status(tid, "Seccomp_filters:", 10);

	if (filters == -ENOENT)
		filters = proc_status(tid, "Seccomp:", 10) == 0 ? 0 : -ENOENT;
	return filters;
}

int proc_place(pid_t tid, struct proc_place *place)
{
	char line[256];
	ssize_t length = proc_read(tid, "syscall", line, sizeof(line));
	uint64_t *args = place->args;

	if (length < 0)
		return (int)length;
	if (sscanf(line,
		   "%" SCNd64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64
		   " %" SCNx64,
		   &place->number, &args[0], &args[1], &args[2], &args[3], &args[4], &args[5], &place->stack,
		   &place->instruction) == 9)
		return 1;
	place->number = -1;
	if (sscanf(line, "-1 %" SCNx64 " %" SCNx64, &place->stack, &place->instruction) != 2)
		return 0;
	return place->instruction ? 1 : -ESRCH; /* of a zombie nothing is left */
}

/* A thread's own number of its stat by its place, which proc(5) counts from 1. */
static int64_t stat_field(pid_t tid, unsigned int place)
{
	char line[PROC_STAT];
	const char *at;
	int error = proc_thread_stat(tid, line, &at);

	if (error)
		return error;
	for (unsigned int i = 2; at && i < place; i++)
		at = strchr(at + 1, ' ');
	return at ? strtoll(at, NULL, 10) : -EINVAL;
}

int proc_process(pid_t pid, struct proc_process *process)
{
	char line[PROC_STAT];
	const char *at;
	int parent, error = proc_stat(pid, line, &at);

	if (error)
		return error;
	if (sscanf(at, ") %*c %d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %" SCNu64, &parent,
		   &process->flags, &process->started) != 3)
		return -EINVAL;
	process->parent = parent;
	return 0;
}

int proc_share(pid_t one, pid_t other, int what)
{
	long result = syscall(SYS_kcmp, one, other, what, 0, 0);

	return result < 0 ? -errno : result == 0;
}

int64_t proc_user_ticks(pid_t tid)
{
	return stat_field(tid, 14);
}

int64_t proc_kernel_ticks(pid_t tid)
{
	return stat_field(tid, 15);
}

int proc_fd_target(pid_t tid, int fd, char target[PROC_FD_TARGET])
{
	char link[PROC_PATH], name[24];
	ssize_t length;

	snprintf(name, sizeof(name), "fd/%d", fd);
	length = proc_path(link, tid, name);
	if (length < 0)
		return (int)length;
	length = readlink(link, target, PROC_FD_TARGET - 1);
	if (length < 0)
		return -errno;
	target[length] = '\0';
	return 0;
}

int64_t proc_socket_inode(pid_t tid, int fd)
{
	char target[PROC_FD_TARGET];
	int error = proc_fd_target(tid, fd, target);

	if (error)
		return error;
	if (strncmp(target, "socket:[", 8) != 0)
		return 0;
	return strtoll(target + 8, NULL, 10);
}
