/* SPDX-License-Identifier: GPL-2.0-only
 * What /proc says of a process: proc(5). */
#ifndef PT_PROC_H
#define PT_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROC_PATH 64

/* The path of a thread's file in /proc, such as "maps". Where /proc shows another PID namespace than ours the thread
 * has another number there, and its own would name somebody else. 0 or -errno. Numbers in what is read there are of
 * that namespace, too: so the fast path, an attach, and all that lists threads, must not be used then (proc_check). */
int proc_path(char path[PROC_PATH], pid_t tid, const char *name);
/* Does /proc show another PID namespace than ours? -EXDEV: it does, but proc_path() would not see it. */
int proc_check(bool *foreign);

/* A number of /proc/TID/status, such as "Tgid:", in the given base. -errno if it can't be read, -ENOENT if there is
 * no such field. */
int64_t proc_status(pid_t tid, const char *field, int base);
/* Where a thread is that sleeps in the kernel: /proc/TID/syscall. */
struct proc_place {
	int64_t number;	      /* of the call that it is in, or -1: none, such as a page fault */
	uint64_t args[6];     /* of the call */
	uint64_t stack;	      /* its stack pointer in user mode */
	uint64_t instruction; /* where it goes on there: behind the call's instruction */
};

/* 1: it sleeps, and *place says where; 0: it runs, in user mode or in the kernel; -errno: nobody can tell. */
int proc_place(pid_t tid, struct proc_place *place);
/* What /proc/PID/stat says of a process that is known by its number alone. */
struct proc_process {
	pid_t parent;
	unsigned int flags; /* PF_* of the kernel's linux/sched.h */
	uint64_t started;   /* clock ticks from the boot to its birth */
};

/* 0 or -errno. */
int proc_process(pid_t pid, struct proc_process *process);
/* Do two processes share this (KCMP_VM, KCMP_FILES)? 1, 0, or -errno where the kernel does not tell: it is built
 * without kcmp(2), or a container forbids it. */
int proc_share(pid_t one, pid_t other, int what);
/* CPU time that a thread has used in user mode and in the kernel, in clock ticks (sysconf(_SC_CLK_TCK)); or -errno. */
int64_t proc_user_ticks(pid_t tid);
int64_t proc_kernel_ticks(pid_t tid);
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
#define PROC_FD_TARGET 64

/* Where the link /proc/TID/fd/FD leads to, as far as there is room. 0 or -errno. */
int proc_fd_target(pid_t tid, int fd, char target[PROC_FD_TARGET]);
/* The inode that /proc/TID/fd/FD names if it is a socket, 0 if it is something else, -errno if that can't be read. */
int64_t proc_socket_inode(pid_t tid, int fd);

#endif
