/* SPDX-License-Identifier: GPL-2.0-or-later
 * Where the files of a thread are in /proc, and what is in them. */
#ifndef PT_PROC_PATH_H
#define PT_PROC_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PROC_PATH 64

/* The path of a thread's file in /proc, such as "maps". Where /proc shows another PID namespace than ours the thread
 * has another number there, and its own would name somebody else. 0 or -errno. Numbers in what is read there are of
 * that namespace, too: so the fast path, an attach, and all that lists threads, must not be used then (proc_check). */
int proc_path(char path[PROC_PATH], pid_t tid, const char *name);
/* Does /proc show another PID namespace than ours? -EXDEV: it does, but proc_path() would not see it. */
int proc_check(bool *foreign);

/* Reads at most size - 1 bytes of /proc/PID/name and ends them with a NUL. The length, or -errno. */
ssize_t proc_read(pid_t pid, const char *name, char *buffer, size_t size);

#define PROC_STAT 1024

/* Reads /proc/TID/stat; *rest begins with the parenthesis that ends the name. 0 or -errno. Times in it are those of all
 * threads of its process. */
int proc_stat(pid_t tid, char line[PROC_STAT], const char **rest);
/* The same, with the thread's own times. */
int proc_thread_stat(pid_t tid, char line[PROC_STAT], const char **rest);

#endif
