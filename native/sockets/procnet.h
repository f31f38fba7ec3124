/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PT_PROCNET_H
#define PT_PROCNET_H

#include <stdint.h>
#include <sys/types.h>

#include "state/tracer.h"

/* What /proc/TID/fd and /proc/TID/net tell of an fd. 1: a socket; 0: something else; -EBADF: not open; other -errno: it
 * can't be read. */
int procnet_identify(pid_t tid, int fd, struct pt_socket_info *info);

#endif
