/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The life of a row (records/lives.h) begins with it, and is over when its batch is handed over, or when anything comes
 * of the row that has no place in a life: then that, and all that follows, is told by records.
 */
#ifndef PT_LIFE_H
#define PT_LIFE_H

#include "state/tracer.h"

/* What a row is told to be. */
struct pt_socket_info life_info(const struct row *row);
/* False: it is told by records. */
bool life_begin(struct pt_tracer *t, const struct tracee *tracee, struct row *row);
/* With a close; counters may be NULL. False: there is none that can end so. */
bool life_end(struct pt_tracer *t, const struct tracee *tracee, struct row *row, const struct pt_tcp_info *counters);
/* Emits a transfer that belongs to this row, or is added to its life. NULL: to no known socket. */
void life_transfer(struct pt_tracer *t, struct row *row, struct pt_record *transfer);

#endif
