/* SPDX-License-Identifier: GPL-2.0-or-later
 * Whether a thread may be interrupted (PTRACE_INTERRUPT) without the program seeing anything of it. */
#ifndef PT_INTERRUPT_H
#define PT_INTERRUPT_H

#include "machine/proc.h"
#include "state/tracer.h"

/* Does the kernel go on with this call by itself, as if nothing had been? tracee: who sleeps in it. */
bool interrupt_is_harmless(const struct tracee *tracee, const struct proc_place *place);

enum interrupt {
	INTERRUPT_SENT,	  /* it will stop at once */
	INTERRUPT_SLEEPS, /* no: it sleeps in a call (*place) that would be cut short */
	INTERRUPT_RUNS	  /* not yet: it runs, and may be in the middle of a long call */
};

/* Remembers how much CPU time the thread has used, to tell later what it does. */
void interrupt_look(struct tracee *tracee);
/* Has it been in user mode since then? */
bool interrupt_was_in_user_mode(const struct tracee *tracee);
/* Interrupts a tracee that runs under PTRACE_CONT, is in a call, or has only been seized, if that is harmless. */
enum interrupt interrupt_gently(const struct tracee *tracee, struct proc_place *place);

#endif
