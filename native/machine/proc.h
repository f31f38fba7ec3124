/* SPDX-License-Identifier: GPL-2.0-or-later
 * What /proc says of a process: proc(5). */
#ifndef PT_PROC_H
#define PT_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A number of /proc/TID/status, such as "Tgid:", in the given base. -errno if it can't be read, -ENOENT if there is
 * no such field. */
int64_t proc_status(pid_t tid, const char *field, int base);
/* How many seccomp filters a thread has; or -errno. Before Linux 5.9 the kernel tells none or some: 0 or -ENOENT. */
int64_t proc_filters(pid_t tid);
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
#define PROC_FD_TARGET 64

/* Where the link /proc/TID/fd/FD leads to, as far as there is room. 0 or -errno. */
int proc_fd_target(pid_t tid, int fd, char target[PROC_FD_TARGET]);
/* The inode that /proc/TID/fd/FD names if it is a socket, 0 if it is something else, -errno if that can't be read. */
int64_t proc_socket_inode(pid_t tid, int fd);

#endif
