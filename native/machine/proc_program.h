/* SPDX-License-Identifier: GPL-2.0-or-later
 * What /proc says of the program that a process runs, and whether it still does. */
#ifndef PT_PROC_PROGRAM_H
#define PT_PROC_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The thread's name (comm), "" if it can't be read. */
void proc_name(pid_t tid, char name[16]);
/* Does this thread run code still? One that has exited is a zombie until it is waited for. */
bool proc_lives(pid_t tid);
/* A thread through which a process's memory, files and executable can be had: its leader, or where that has exited
 * (pthread_exit(3) in main) another one. The leader if none lives. */
pid_t proc_living(pid_t pid);
/* Name, executable's path and argv, each ending in a NUL, into buffer. Returns the length in bytes. */
size_t proc_describe(pid_t pid, char *buffer, size_t size);
/* The file name of the executable's path: what --only is compared with. */
bool proc_runs(pid_t pid, const char *file_name);

#endif
