/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PT_STOP_H
#define PT_STOP_H

/* What a wait status says, and the step that must follow. */
enum stop_kind {
	STOP_EXITED,	/* the tracee exited: forget it */
	STOP_KILLED,	/* a signal killed the tracee: forget it */
	STOP_SYSCALL,	/* syscall-entry-stop or syscall-exit-stop (PTRACE_GET_SYSCALL_INFO tells): resume */
	STOP_SECCOMP,	/* seccomp-stop, before the call is made: resume */
	STOP_FORK,	/* fork, vfork or clone made a child that is a tracee already: resume */
	STOP_EXEC,	/* a new program is in place, not yet run: resume */
	STOP_EXIT,	/* the tracee is about to exit; memory and fds are still there: resume */
	STOP_GROUP,	/* group-stop: PTRACE_LISTEN, so that it stays stopped until SIGCONT */
	STOP_INTERRUPT, /* birth, PTRACE_INTERRUPT, or the end of a group-stop: resume */
	STOP_SIGNAL,	/* signal-delivery-stop: resume with that signal */
	STOP_OTHER	/* an event that was not asked for: resume */
};

enum stop_kind stop_kind(int status);

/* The wait status of a STOP_INTERRUPT (PTRACE_EVENT_STOP, SIGTRAP): there is no signal to deliver. */
#define STOP_INTERRUPT_STATUS (128 << 16 | 5 << 8 | 0x7f)

#endif
