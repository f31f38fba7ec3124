/* SPDX-License-Identifier: GPL-2.0-only
 * The twin of a stub: the same call where it stops. */
#ifndef PT_FAST_TWIN_H
#define PT_FAST_TWIN_H

#include <stdbool.h>
#include <stdint.h>

#include "state/tracer.h"

#define TWIN_CALL 16 /* offset of its syscall instruction */
#define TWIN_DONE 18 /* and of what is behind it */

/* Has the tracer to see this call where no filter shows it? Those of its table, but the ones that tell of themselves by
 * an event (clone); those that somebody wants told, held or refused; those that change code (changes.c), and that could
 * touch the memory of the fast path (collide.c). */
bool twin_watches(const struct pt_tracer *t, uint32_t number);

#endif
