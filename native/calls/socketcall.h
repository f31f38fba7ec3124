/* SPDX-License-Identifier: GPL-2.0-or-later
 * i386: socketcall(2), one system call that stands for twenty. */
#ifndef PT_SOCKETCALL_H
#define PT_SOCKETCALL_H

#include <stdint.h>
#include <sys/types.h>

struct pt_call;
struct syscall_entry;

#define SOCKETCALL_NUMBER 102 /* on i386 */
#define SOCKETCALL_NONE UINT64_MAX

/* The number of the direct call that sub-call `which` is the same as; SOCKETCALL_NONE: there is no such sub-call. send
 * and recv, which have no number of their own, are sendto and recvfrom without an address. */
uint64_t socketcall_direct(uint64_t which);
/* What a socketcall is counted as: *entry, or NULL, and its arguments, which are read from memory in place of args. 0
 * or -errno. */
int socketcall_enter(pid_t tid, const struct syscall_entry **entry, uint64_t args[6]);
/* Makes of a socketcall what it stands for: number and arguments, which are read from memory. 0 or -errno, and the call
 * is unchanged then. */
int socketcall_unpack(pid_t tid, struct pt_call *call);

#endif
