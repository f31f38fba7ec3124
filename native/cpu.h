/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PT_CPU_H
#define PT_CPU_H

#include "tracer.h"

/* After each stop: lets the tracer follow a busy tracee to its CPU. */
void cpu_follow(struct pt_tracer *t, const struct tracee *tracee);
/* At each tick: a tracer with little to do may run anywhere again. */
void cpu_tick(struct pt_tracer *t);

#endif
