/* SPDX-License-Identifier: GPL-2.0-or-later
 * A thread that connects an fd in a stub, and will not go on there. */
#ifndef PT_FAST_CONNECTOR_H
#define PT_FAST_CONNECTOR_H

#include "fast/image/image.h"
#include "machine/registers.h"

/* Does what it had still to do: what has become of its call is told, as far as it has, and the slot no longer says that
 * the fd is being connected. If the call has ended the thread goes on at the end of its stub: regs are changed, and yet
 * to be written. True if it was doing that. */
bool connector_leaves(struct pt_tracer *t, const struct image *image, struct tracee *tracee, struct registers *regs);
/* The same of one whose call has ended; true if that is so. */
bool connector_finishes(struct pt_tracer *t, const struct image *image, struct tracee *tracee, struct registers *regs);
/* The same of one that is about to exit, or whose call stops have seen. What has become of its call nobody will know.
 */
bool connector_dies(const struct image *image, const struct registers *regs);

#endif
