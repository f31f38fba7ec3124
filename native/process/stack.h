/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PT_STACK_H
#define PT_STACK_H

#include <stddef.h>
#include <sys/types.h>

/* What the kernel laid on the stack of a program that is in its PTRACE_EVENT_EXEC: name (comm), the path that was
 * executed and argv, each ending in a NUL, into buffer. Returns the length in bytes, 0 if the stack can't be read. */
size_t stack_describe(pid_t tid, char *buffer, size_t size);

#endif
