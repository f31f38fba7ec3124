/* SPDX-License-Identifier: GPL-2.0-or-later
 * Calls that change code, or bring some. */
#ifndef PT_FAST_CHANGES_H
#define PT_FAST_CHANGES_H

#include "fast/image/image.h"

/* Such a call of this tracee has ended, if it was in one. 0, or what attach_free() returns. */
int changes_made(struct pt_tracer *t, struct tracee *tracee, int64_t result);
/* It will see the end of no call any more. */
void changes_end(struct tracee *tracee);

#endif
