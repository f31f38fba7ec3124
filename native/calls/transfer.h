/* SPDX-License-Identifier: GPL-2.0-or-later
 * Calls that move bytes: what they move, on which socket. */
#ifndef PT_TRANSFER_H
#define PT_TRANSFER_H

#include "state/tracer.h"

/* Calls on a socket that were counted inside the tracee, and differ in nothing else. */
struct counted {
	const struct syscall_entry *entry;
	struct socket *socket;
	int fd;
	int error;	/* errno, or 0 */
	uint64_t calls; /* how many of them */
	uint64_t bytes;
	uint64_t time; /* ns, CLOCK_MONOTONIC */
};

/* Fills in call->fd, from its entry and its arguments. */
void transfer_fds(struct call *call);
/* Finds the sockets that tracee->call is made on. True if there are any, and it counts: its end must be seen. */
bool transfer_enter(struct pt_tracer *t, struct tracee *tracee);
/* It returned result: counts it, if it was made. */
void transfer_return(struct pt_tracer *t, struct tracee *tracee, int64_t result);
/* The same, where that is known. */
void transfer_exit(struct pt_tracer *t, struct tracee *tracee, int64_t result);
/* Counts calls that did not stop. */
void transfer_counted(struct pt_tracer *t, struct tracee *tracee, const struct counted *counted);
/* Lets go of the sockets that transfer_enter found. */
void transfer_release(struct pt_tracer *t, struct tracee *tracee);

#endif
