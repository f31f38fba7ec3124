/* SPDX-License-Identifier: GPL-2.0-or-later
 * Sockets by inode, and the rows of the socket table that records refer to. */
#ifndef PT_SOCKETS_H
#define PT_SOCKETS_H

#include "state/tracer.h"

/* Finds out from the kernel what fd of the stopped tracee is. 1: *out is the socket; 0: no socket; -EBADF: not open;
 * other -errno: it can't be known. */
int socket_identify(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket **out);
/* The same of what has been found out. NULL: out of memory. */
struct identity;
struct socket *socket_found(struct pt_tracer *t, struct tracee *tracee, int fd, const struct identity *identity);
/* A call that moves no bytes is about to be made on it. If it is new, it counts as opened now. */
void socket_note(struct pt_tracer *t, const struct tracee *tracee, int fd);
/* A socket of which nothing is known but that it is one. NULL: out of memory. */
struct socket *socket_unknown(void);
/* These fds of a process were there before ptmon: its sockets can't be audited. 0 or -errno of /proc/PID/fd. */
int sockets_existed(struct pt_tracer *t, pid_t pid);
/* A reference is gone (cached or busy was lowered): a socket that nothing points to may be forgotten. */
void socket_put(struct pt_tracer *t, struct socket *socket);
void sockets_destroy(struct pt_tracer *t);

#endif
