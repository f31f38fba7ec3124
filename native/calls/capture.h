/* SPDX-License-Identifier: GPL-2.0-or-later
 * The memory of a tracee that is kept with the record of a call. */
#ifndef PT_CAPTURE_H
#define PT_CAPTURE_H

#include "state/tracer.h"

#define CAPTURE_MOST 16384 /* bytes of one record's data */

/* A record of a call, with the memory that these captures ask for at this stop (call->at_exit). What can't be read is
 * not there. NULL where memory ran out. */
struct pt_record *capture_emit(struct pt_tracer *t, enum pt_kind kind, const struct tracee *tracee,
			       const struct pt_call *call, const struct pt_capture captures[6]);

#endif
