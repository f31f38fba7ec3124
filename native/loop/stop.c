/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A wait status becomes one enum. Pure: no system call, no state. ptrace(2) says what the words mean. That the stops
 * can be told apart without PTRACE_GETSIGINFO is owed to PTRACE_SEIZE (group-stops bear PTRACE_EVENT_STOP) and to
 * PTRACE_O_TRACESYSGOOD (syscall-stops bear 0x80).
 */
#include "loop/stop.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#ifndef PTRACE_EVENT_STOP
#define PTRACE_EVENT_STOP 128
#endif

enum stop_kind stop_kind(int status)
{
	if (WIFEXITED(status))
		return STOP_EXITED;
	if (WIFSIGNALED(status))
		return STOP_KILLED;
	switch ((unsigned int)status >> 16) {
	case 0:
		return WSTOPSIG(status) == (SIGTRAP | 0x80) ? STOP_SYSCALL : STOP_SIGNAL;
	case PTRACE_EVENT_SECCOMP:
		return STOP_SECCOMP;
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		return STOP_FORK;
	case PTRACE_EVENT_EXEC:
		return STOP_EXEC;
	case PTRACE_EVENT_EXIT:
		return STOP_EXIT;
	case PTRACE_EVENT_STOP:
		return WSTOPSIG(status) == SIGTRAP ? STOP_INTERRUPT : STOP_GROUP;
	default:
		return STOP_OTHER;
	}
}
