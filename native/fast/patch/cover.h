/* SPDX-License-Identifier: GPL-2.0-or-later
 * Whether the stubs cover all calls of a process that the tracer has to see. All of its threads must stand. */
#ifndef PT_FAST_COVER_H
#define PT_FAST_COVER_H

#include "fast/image/code.h"
#include "fast/image/image.h"

/* Is there a call in this code that may be one of those, and can't be replaced? 0; -ENOEXEC; -errno. */
int cover_check(struct pt_tracer *t, const struct tracee *tracee, const struct mapping *mapping);
/* Does every site of this code that has to jump really do so? */
bool cover_is_complete(struct pt_tracer *t, const struct image *image, const struct tracee *tracee,
		       const struct mapping *mapping);
/* Which of the sites have their jumps? */
void cover_look(struct image *image, pid_t tid);
/* Sites of an earlier round whose own bytes are back (after a detach, or because their code was mapped anew) get their
 * jumps again. */
void cover_again(struct pt_tracer *t, struct image *image, const struct tracee *tracee);
/* Threads in stubs that nobody has read for a while go on in the twins, where their calls stop. */
void cover_leave_stubs(struct pt_tracer *t, struct image *image, const struct tracee *tracee);
/* The same of one thread, which stands. */
void cover_leave_stub(struct pt_tracer *t, struct image *image, pid_t tid);

#endif
