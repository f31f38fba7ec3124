/* SPDX-License-Identifier: GPL-2.0-or-later
 * What becomes of connect(2): each is told when the call returns, and those that were in progress then once more when
 * a later look at the socket, or a call on it, shows how they have ended. */
#ifndef PT_CONNECTS_H
#define PT_CONNECTS_H

#include "sockets/identify.h"
#include "state/tracer.h"

/* The tracee's connect has returned: with this errno, or 0. socket: what its fd names, NULL: not known. */
void connects_returned(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket,
		       const struct attempt *attempt, int error);
/* A signal has ended it, but the kernel may make it again, and goes on to connect in any case. */
void connects_interrupted(struct pt_tracer *t, struct socket *socket, const struct attempt *attempt);
/* What the kernel says of the socket now, or said at the end of that attempt. */
void connects_look(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket,
		   const struct identity *identity);
void connects_look_behind(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket,
			  const struct identity *identity, const struct attempt *attempt);
/* A transfer on it has failed: that may be how the program is told. */
void connects_transfer_failed(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket, int error);
/* An fd of it is about to be closed. */
void connects_closing(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket);
/* Nothing of it is in progress any more. */
void connects_forget(struct pt_tracer *t, struct socket *socket);

#endif
