/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PT_ROWS_H
#define PT_ROWS_H

#include "state/tracer.h"

/* The row that a transfer of that time (ns) belongs to, emitted when it is new. Datagrams have one for each peer
 * that is named; what names none, or the socket's own peer, has the socket's own row. NULL: out of memory. */
struct row *socket_row(struct pt_tracer *t, struct tracee *tracee, struct socket *socket, int fd, uint64_t time,
		       const uint8_t *peer, uint32_t peer_length);
/* A datagram socket: each transfer may name another peer. */
bool socket_takes_addresses(const struct socket *socket);
/* An fd of it is about to be closed: reads the kernel's counters and emits them. */
void socket_closing(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket);
/* It has been closed in a stub (fast/), and this is what the kernel said of it right before. */
struct identity;
void socket_ended(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket,
		  const struct identity *identity);
/* The same before an execve: those that are not close-on-exec stay open, and all do if it fails. */
void socket_may_close(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket);
/* The same, but it stays open: ptmon detaches. */
void socket_left_open(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket);
/* What the kernel says of it now: emitted if it is new (bound, connected, connected anew). */
void socket_changed(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket,
		    const struct pt_socket_info *seen);
/* It is connected: connect(2) took so many ns, 0: not known. Its rows say so from now on. */
void socket_connected(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket, uint64_t took);
void rows_free(struct pt_tracer *t, struct socket *socket);

#endif
