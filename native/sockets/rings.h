/* SPDX-License-Identifier: GPL-2.0-or-later
 * Processes whose fds change without a call that is seen: io_uring closes and installs some by itself. See rings.c. */
#ifndef PT_RINGS_H
#define PT_RINGS_H

#include "state/tracer.h"

/* This call has made or used a ring. */
void rings_used(struct pt_tracer *t, struct tracee *tracee, const struct syscall_entry *entry);
/* pidfd_getfd(2) has given it this fd: another process's ring? */
void rings_got(struct pt_tracer *t, struct tracee *tracee, const struct syscall_entry *entry, int fd);
/* It is attached: had it rings before? */
void rings_found(struct pt_tracer *t, struct tracee *tracee);
/* A new program is in place: has it rings from the one before, or from who has started ptmon? */
void rings_kept(struct pt_tracer *t, struct tracee *tracee);
/* The child, whose fds are a copy of its parent's, has its rings, too. */
void rings_inherited(struct tracee *child, const struct tracee *parent);
/* A child that is not followed shares the tracee's fds, and may change them. */
void rings_shared(struct pt_tracer *t, struct tracee *tracee);

#endif
