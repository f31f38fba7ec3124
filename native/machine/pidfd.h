/* SPDX-License-Identifier: GPL-2.0-or-later
 * The pidfd of an fd table: through it the fds of the table's threads can be had (pidfd_getfd(2)). */
#ifndef PT_PIDFD_H
#define PT_PIDFD_H

#include "state/tracer.h"

/* A new pidfd of the thread, or -errno. */
int pidfd_open_thread(pid_t tid);
/* A pidfd for this table, by way of its thread tid; or -errno. It belongs to the table, and may be closed by the next
 * call for another one. */
int pidfd_get(struct pt_tracer *t, struct files *files, pid_t tid);
void pidfd_drop(struct pt_tracer *t, struct files *files);

#endif
