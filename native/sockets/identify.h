/* SPDX-License-Identifier: GPL-2.0-only
 * What an fd of a tracee is, asked of the kernel. */
#ifndef PT_IDENTIFY_H
#define PT_IDENTIFY_H

#include "sockets/tcp.h"
#include "state/tracer.h"

struct identity {
	struct pt_socket_info info;
	struct tcp_reading tcp;
	bool is_tcp; /* tcp is filled in */
	bool fresh;  /* nothing was transferred yet, as far as can be told */
	bool active; /* TCP: the kernel's count of sent bytes has the SYN in it */
};

/* What fd of the stopped tracee is; pidfd is one of it, or negative. 1: a socket; 0: something else; -EBADF: not open;
 * other -errno: it can't be known. */
int identify(pid_t tid, int pidfd, int fd, struct identity *out);

#endif
