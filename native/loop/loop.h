/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PT_LOOP_H
#define PT_LOOP_H

#include "state/tracer.h"

/* Handles what one wait reported: classify, record, resume. */
void loop_dispatch(struct pt_tracer *t, pid_t tid, int status);
/* Waits for one tracee and handles it. 0; -EINTR at a tick; -ECHILD when there is none. */
int loop_step(struct pt_tracer *t);

#endif
