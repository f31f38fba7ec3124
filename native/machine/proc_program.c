/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/proc_program.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine/proc_path.h"

void proc_name(pid_t tid, char name[16])
{
	char comm[32];
	ssize_t length = proc_read(tid, "comm", comm, sizeof(comm));

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
	char line[PROC_STAT];
	const char *at;

	return proc_stat(tid, line, &at) == 0 && at[1] && at[2] != 'Z' && at[2] != 'X';
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
	got = proc_read(pid, "cmdline", buffer + at, size - at);
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
