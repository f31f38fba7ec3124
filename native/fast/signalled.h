/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PT_FAST_SIGNALLED_H
#define PT_FAST_SIGNALLED_H

#define SIGNAL_CANCEL 32      /* SIGCANCEL of glibc (nptl/internaltypes.h), SIGTIMER of musl */
#define SIGNAL_CANCEL_MUSL 33 /* SIGCANCEL of musl (src/internal/pthread_impl.h), SIGSETXID of glibc */

#include "fast/image.h"

/* A signal is about to be delivered. If it has a handler, that will not find its thread in the middle of a stub: the
 * handler may never return (siglongjmp, exit), or unwind the stack. */
void signalled(struct pt_tracer *t, struct image *image, struct tracee *tracee, int signal);

#endif
