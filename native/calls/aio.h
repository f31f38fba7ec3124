/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PT_AIO_H
#define PT_AIO_H

#include "state/tracer.h"

/* io_submit(2): warns if one of the iocbs is for a socket, since its bytes come back by io_getevents. False: its
 * exit-stop is not needed. */
bool aio_enter(struct pt_tracer *t, struct tracee *tracee);

#endif
