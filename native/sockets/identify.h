/* SPDX-License-Identifier: GPL-2.0-or-later
 * What an fd of a tracee is, asked of the kernel. */
#ifndef PT_IDENTIFY_H
#define PT_IDENTIFY_H

#include "sockets/tcp.h"
#include "state/tracer.h"

struct identity {
	struct pt_socket_info info;
	struct tcp_reading tcp;
	bool is_tcp;	 /* tcp is filled in */
	bool fresh;	 /* nothing was transferred yet, as far as can be told */
	bool active;	 /* TCP: the kernel's count of sent bytes has the SYN in it */
	uint8_t was[28]; /* IP: struct sockaddr of the peer of a connection that may be over */
	uint32_t was_length;
	bool unheeded; /* something may have been transferred on it unseen: its first bytes are not to be told */
};

/* What fd of the stopped tracee is; pidfd is one of it, or negative. 1: a socket; 0: something else; -EBADF: not open;
 * other -errno: it can't be known. */
int identify(pid_t tid, int pidfd, int fd, struct identity *out);

/* What has been read of it is all that was to be read: it settles the rest. */
void identity_conclude(struct identity *identity);
/* It was connected since ptmon is there, and has its peer. */
void identity_is_connected(struct identity *identity);
/* It was accepted since ptmon is there, whatever has become of it. */
void identity_is_accepted(struct identity *identity);

#endif
