/* SPDX-License-Identifier: GPL-2.0-or-later
 * Tracees that stand still until somebody has answered for them. */
#ifndef PT_HOLD_H
#define PT_HOLD_H

#include "state/tracer.h"

/* Lets every tracee go on that is held, its call unchanged. */
void hold_end_all(struct pt_tracer *t);

#endif
