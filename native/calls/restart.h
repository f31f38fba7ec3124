/* SPDX-License-Identifier: GPL-2.0-or-later
 * A call that a signal interrupted: does it fail with EINTR, or is it restarted? */
#ifndef PT_RESTART_H
#define PT_RESTART_H

#include "process/next.h"
#include "state/tracer.h"

/* include/linux/errno.h of the kernel */
#define ERESTARTSYS 512
#define ERESTARTNOINTR 513
#define ERESTARTNOHAND 514
#define ERESTART_RESTARTBLOCK 516

/* Is this "errno" of an exit-stop one of the kernel's own, that the program never sees? */
bool restart_pending(int error);
/* The same for the result of a call: will the kernel make it again, or fail it with EINTR? */
bool restart_result(int64_t result);
/* The tracee's call on this socket came back with such a code. */
void restart_remember(struct tracee *tracee, struct socket *socket, int fd, enum pt_direction direction, int code);
/* It was restarted, or it does not matter any more. */
void restart_forget(struct pt_tracer *t, struct tracee *tracee);
bool restart_has_handler(pid_t tid, int signal);
/* A signal is about to be delivered to the tracee: emits the interrupted call if it will fail with EINTR.
 * NEXT_STEP where only the handler's frame will tell, or that frame is to be known. */
enum next restart_at_signal(struct pt_tracer *t, struct tracee *tracee, int signal);
/* The stop that follows that step. True if it was nothing else, and must not be taken for a signal. */
bool restart_stepped(struct pt_tracer *t, struct tracee *tracee, int signal);

#endif
