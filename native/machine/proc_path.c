/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/proc_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

ssize_t proc_read(pid_t pid, const char *name, char *buffer, size_t size)
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

static int read_stat(pid_t tid, const char *name, char line[PROC_STAT], const char **rest)
{
	ssize_t length = proc_read(tid, name, line, PROC_STAT);

	if (length < 0)
		return (int)length;
	*rest = strrchr(line, ')'); /* a name may have some, too: the second field ends with the last of them */
	return *rest ? 0 : -EINVAL;
}

int proc_stat(pid_t tid, char line[PROC_STAT], const char **rest)
{
	return read_stat(tid, "stat", line, rest);
}

int proc_thread_stat(pid_t tid, char line[PROC_STAT], const char **rest)
{
	const int64_t number = names_us() ? tid : number_there(tid);
	char name[32];

	if (number < 0)
		return (int)number;
	snprintf(name, sizeof(name), "task/%d/stat", (int)number);
	return read_stat(tid, name, line, rest);
}
