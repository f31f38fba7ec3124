/* SPDX-License-Identifier: GPL-2.0-or-later
 * All threads of a process stand still for a moment. */
#ifndef PT_FAST_HALT_H
#define PT_FAST_HALT_H

#include "state/tracer.h"

/* Brings every thread of the process to a ptrace-stop, but one that stands already (or NULL); what each has to report
 * is handled in its turn, and until then it stands. A thread in a call whose syscall-exit-stop is still to come (or
 * that is met at a breakpoint, meet.h) may go on in the kernel: it stops before it runs any code of the program. False:
 * not all of them stand (one is in uninterruptible sleep, or in a call that would be cut short; or there are too many).
 */
bool halt_process(struct pt_tracer *t, const struct group *group, const struct tracee *but);
/* The same, with more patience: before its memory is given back. */
bool halt_to_leave(struct pt_tracer *t, const struct group *group);
/* Does this thread stand in a ptrace-stop, or is it gone? Nobody is interrupted. */
bool halt_stands(struct pt_tracer *t, pid_t tid);
/* A thread stands in a stop by PTRACE_INTERRUPT. If its call has failed for nothing else it is made again when the
 * thread runs on. True if there was one. */
bool halt_make_again(pid_t tid);
/* Calls visit with the tid of each thread that /proc lists. */
void halt_each(const struct group *group, void (*visit)(pid_t tid, void *context), void *context);

#endif
