/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "machine/pidfd.h"

/* Does /proc/self bear the number that getpid() says? */
static bool names_us(void)
{
	char link[16];
	ssize_t length = readlink("/proc/self", link, sizeof(link) - 1);

	if (length < 0)
		return true; /* there is no /proc, and so none of anybody else */
	link[length] = '\0';
	return atoi(link) == getpid();
}

/* The number of a thread in the PID namespace that /proc shows: proc_pid_ns() of pidfd_show_fdinfo(), kernel/fork.c. */
static int64_t number_there(pid_t tid)
{
	char path[PROC_PATH], text[512];
	const char *line;
	ssize_t length = -1;
	int fd, pidfd = pidfd_open_thread(tid);

	if (pidfd < 0)
		return pidfd;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		length = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	close(pidfd);
	text[length > 0 ? length : 0] = '\0';
	line = strstr(text, "\nPid:");
	return line && atoi(line + 5) > 0 ? atoi(line + 5) : -ESRCH;
}

int proc_path(char path[PROC_PATH], pid_t tid, const char *name)
{
	int64_t number = names_us() ? tid : number_there(tid);

	if (number < 0)
		return (int)number;
	return snprintf(path, PROC_PATH, "/proc/%d/%s", (int)number, name) < PROC_PATH ? 0 : -ENAMETOOLONG;
}

int proc_check(bool *foreign)
{
	char status[4096];
	ssize_t length = -1;
	const char *numbers;
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);

	*foreign = !names_us();
	if (fd >= 0) {
		length = read(fd, status, sizeof(status) - 1);
		close(fd);
	}
	status[length > 0 ? length : 0] = '\0';
	/* One number for each PID namespace from the one of /proc to ours. */
	numbers = strstr(status, "\nNSpid:\t");
	if (!numbers)
		return 0;
	numbers += strlen("\nNSpid:\t");
	if (strcspn(numbers, "\t") > strcspn(numbers, "\n"))
		return 0;
	if (!*foreign)
		return -EXDEV; /* we have the same number here and there: nothing tells paths of ours from others' */
	return 0;
}

/* Reads at most size - 1 bytes of /proc/PID/name and ends them with a NUL. The length, or -errno. */
static ssize_t read_file(pid_t pid, const char *name, char *buffer, size_t size)
{
	char path[PROC_PATH];
	ssize_t got = 0, length = 0;
	int fd = proc_path(path, pid, name);

	if (fd < 0)
		return fd;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while ((size_t)length < size - 1 && (got = read(fd, buffer + length, size - 1 - (size_t)length)) > 0)
		length += got;
	if (got < 0)
		length = -errno;
	close(fd);
	if (length >= 0)
		buffer[length] = '\0';
	return length;
}

int64_t proc_status(pid_t tid, const char *field, int base)
{
	char status[4096];
	ssize_t length = read_file(tid, "status", status, sizeof(status));
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

int proc_place(pid_t tid, struct proc_place *place)
{
	char line[256];
	ssize_t length = read_file(tid, "syscall", line, sizeof(line));
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

/* A number of /proc/TID/stat by its place, which proc(5) counts from 1. */
static int64_t stat_field(pid_t tid, unsigned int place)
{
	char line[1024];
	ssize_t length = read_file(tid, "stat", line, sizeof(line));
	const char *at = length < 0 ? NULL : strrchr(line, ')'); /* the second ends with the last of these */

	if (length < 0)
		return length;
	for (unsigned int i = 2; at && i < place; i++)
		at = strchr(at + 1, ' ');
	return at ? strtoll(at, NULL, 10) : -EINVAL;
}

int proc_process(pid_t pid, struct proc_process *process)
{
	char line[1024];
	ssize_t length = read_file(pid, "stat", line, sizeof(line));
	const char *at = length < 0 ? NULL : strrchr(line, ')'); /* the second ends with the last of these */
	int parent;

	if (length < 0)
		return (int)length;
	if (!at || sscanf(at, ") %*c %d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %" SCNu64,
			  &parent, &process->flags, &process->started) != 3)
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

void proc_name(pid_t tid, char name[16])
{
	char comm[32];
	ssize_t length = read_file(tid, "comm", comm, sizeof(comm));

	if (length > 0 && comm[length - 1] == '\n')
		length--;
	if (length > 15)
		length = 15;
	if (length > 0)
		memcpy(name, comm, (size_t)length);
	name[length > 0 ? length : 0] = '\0';
}

bool proc_lives(pid_t tid)
{
	char line[1024];
	ssize_t length = read_file(tid, "stat", line, sizeof(line));
	const char *at = length < 0 ? NULL : strrchr(line, ')');

	return at && at[1] && at[2] != 'Z' && at[2] != 'X';
}

pid_t proc_living(pid_t pid)
{
	char path[64];
	struct dirent *entry;
	pid_t found = pid;
	DIR *threads;

	if (proc_lives(pid))
		return pid;
	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	threads = opendir(path);
	while (threads && found == pid && (entry = readdir(threads)))
		if (atoi(entry->d_name) > 0 && proc_lives(atoi(entry->d_name)))
			found = atoi(entry->d_name);
	if (threads)
		closedir(threads);
	return found;
}

/* These two of a living thread: a zombie has neither executable nor arguments. */
static ssize_t read_executable(pid_t pid, char *path, size_t size)
{
	char link[PROC_PATH];
	ssize_t length = proc_path(link, pid, "exe");

	if (length == 0)
		length = readlink(link, path, size - 1);
	if (length < 0)
		length = 0;
	path[length] = '\0';
	return length;
}

size_t proc_describe(pid_t pid, char *buffer, size_t size)
{
	size_t at;
	ssize_t got;

	proc_name(pid, buffer);
	at = strlen(buffer) + 1;
	pid = proc_living(pid);
	at += (size_t)read_executable(pid, buffer + at, size - at - 1) + 1;
	got = read_file(pid, "cmdline", buffer + at, size - at);
	return got > 0 ? at + (size_t)got : at;
}

bool proc_runs(pid_t pid, const char *file_name)
{
	char name[16], path[4096];
	const char *slash;

	read_executable(proc_living(pid), path, sizeof(path));
	slash = strrchr(path, '/');
	if (slash && strcmp(slash + 1, file_name) == 0)
		return true;
	/* A script's executable is its interpreter and a link's its target: the name that execve gave is in comm. */
	proc_name(pid, name);
	return strncmp(name, file_name, sizeof(name) - 1) == 0;
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
