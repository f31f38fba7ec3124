/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PT_EMIT_H
#define PT_EMIT_H

#include "state/tracer.h"

#define BATCH_RECORDS 4096     /* a batch is handed over when it has this many, or as many lives */
#define BATCH_BYTES (1u << 22) /* or this much data */

int emit_create(struct pt_tracer *t);
void emit_destroy(struct pt_tracer *t);
/* Starts a new batch: what the last one pointed to may be written over. */
void emit_begin(struct pt_tracer *t);
/* The same if the last batch was handed over; else goes on with it. */
void emit_continue(struct pt_tracer *t);
void emit_end(struct pt_tracer *t, struct pt_batch *batch);
bool emit_full(const struct pt_tracer *t);

/* A record of this kind with data behind it (length bytes, may be 0). NULL where memory ran out: the next batch
 * then holds a PT_REASON_NO_MEMORY. */
struct pt_record *emit(struct pt_tracer *t, enum pt_kind kind, const struct tracee *tracee, const void *data,
		       size_t length);
/* Calls that ended on a socket. With options.aggregate it is added to an equal one of this batch. */
void emit_transfer(struct pt_tracer *t, const struct pt_record *transfer);
/* Once for each reason and thread group. */
void emit_warning(struct pt_tracer *t, struct tracee *tracee, enum pt_reason reason, const struct syscall_entry *entry,
		  int error);

#endif
