/* SPDX-License-Identifier: GPL-2.0-or-later
 * What transfers came to, as it is emitted. */
#ifndef PT_OUTCOME_H
#define PT_OUTCOME_H

#include "state/tracer.h"

#define ADDRESS_SIZE 128 /* of struct sockaddr_storage */

/* What a call on one socket came to. */
struct outcome {
	struct socket *socket;
	int fd;
	enum pt_direction direction;
	uint64_t calls;
	uint64_t bytes;
	int error;
	const struct syscall_entry *entry;
	uint64_t time; /* ns */
	bool fast;
	uint8_t peer[ADDRESS_SIZE];
	uint32_t peer_length;
};

/* One PT_TRANSFER. */
void outcome_emit(struct pt_tracer *t, struct tracee *tracee, const struct outcome *outcome);

/* The peer whose address the tracee has there. */
void outcome_peer_at(struct pt_tracer *t, struct tracee *tracee, uint64_t address, uint32_t length,
		     struct outcome *outcome);
/* The peer that the tracee's call names; outcome->peer_length stays 0 where it names none. */
void outcome_peer_of_bytes(struct pt_tracer *t, struct tracee *tracee, struct outcome *outcome);
void outcome_peer_of_message(struct pt_tracer *t, struct tracee *tracee, struct outcome *outcome);

/* What the tracee's call, which has returned result, came to: one record; one for each message that names its peer, and
 * one for all others; one for each of two sockets (splice and sendfile may read one and write another). */
void outcome_emit_one(struct pt_tracer *t, struct tracee *tracee, struct outcome *outcome, int64_t result);
void outcome_emit_messages(struct pt_tracer *t, struct tracee *tracee, struct outcome *rest, int64_t result);
void outcome_emit_both(struct pt_tracer *t, struct tracee *tracee, struct outcome *outcome, int64_t result);

#endif
