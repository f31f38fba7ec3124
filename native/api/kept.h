/* SPDX-License-Identifier: GPL-2.0-or-later
 * What a launched program has from its start, by which it has sockets, or may get some (calls/dry.c). Where that can't
 * be known the answer is yes. */
#ifndef PT_KEPT_H
#define PT_KEPT_H

#include <stdbool.h>

/* Does the calling process keep a socket, or what may bring one, over an execve? Async-signal-safe. */
bool kept_sockets(void);
/* Has ptmon a filter that a supervisor answers for (seccomp_unotify(2))? He may put sockets into what ptmon starts. */
bool kept_supervisor(void);

#endif
