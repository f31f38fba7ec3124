/* SPDX-License-Identifier: GPL-2.0-or-later
 * Calls under way that take fds away, or change what they are: close, dup2, connect ... */
#ifndef PT_CLOSING_H
#define PT_CLOSING_H

#include "state/tracer.h"

/* The tracee stands before such a call, on the fds first..last. */
void closing_begin(struct tracee *tracee, unsigned int first, unsigned int last);
/* Its call, if there was one, is over. */
void closing_settle(struct tracee *tracee);
/* Is such a call under way on this fd? */
bool closing_any(const struct files *files, unsigned int fd);
/* Was fd taken away since files->changes was that, or may it have been? */
bool closing_changed(const struct files *files, int fd, uint64_t since);

#endif
