/* SPDX-License-Identifier: GPL-2.0-or-later
 * A process gets its memory back. */
#ifndef PT_FAST_LEAVE_H
#define PT_FAST_LEAVE_H

#include "fast/image/image.h"
#include "machine/registers.h"

/* Before patch_withdraw(), with all threads standing: who is in the middle of a request comes to the call that it is
 * for. */
void leave_requests(struct pt_tracer *t, const struct image *image);

/* All after patch_withdraw(), with all threads standing. */

/* Takes everybody out of stubs and twins who can be taken out, and counts what those have done. True: nobody is inside,
 * nor will return there from a signal handler. */
bool leave_stubs(struct pt_tracer *t, struct image *image);
/* The memory is unmapped by this thread, which goes on with the registers back, and the image is destroyed; as
 * inject_unmap() says. Nobody may be inside. */
int leave_memory(struct pt_tracer *t, struct tracee *tracee, const struct registers *back, bool before_call);
/* The same, by whatever thread of the process is fit for it. False: none is, and all stays as it is. */
bool leave_by_any(struct pt_tracer *t, struct image *image);
/* The tracee stands in a syscall-exit-stop. If its process has been withdrawn from since, the memory is given back now,
 * if nobody is inside any more. */
void leave_if_withdrawn(struct pt_tracer *t, struct tracee *tracee);

#endif
