/* SPDX-License-Identifier: GPL-2.0-or-later
 * The registers of a stopped tracee. */
#ifndef PT_REGISTERS_H
#define PT_REGISTERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define REGISTERS_UNKNOWN INT64_MIN /* no call returns that */

#if defined(__x86_64__)
#include "machine/registers_x86_64.h"
#elif defined(__aarch64__)
#include "machine/registers_aarch64.h"
#endif

/*
 * Each architecture's header gives, on struct registers:
 *   registers_read(tid, &regs)        0 or -errno
 *   registers_write(tid, &regs)       0 or -errno
 *   registers_number(&regs)           the call's number, as it was entered
 *   registers_argument(&regs, i, compat)  its i-th argument, of the native or the 32-bit ABI (aarch64: [0] is lost
 *                                     once the call has returned)
 *   registers_result(&regs)           its return value
 *   registers_set_argument(&regs, v, compat)  argument 0
 *   registers_set_arguments(&regs, v, compat)  all six
 *   registers_set_result(&regs, v)    the return value
 *   registers_set_number(tid, &regs, number)  which call is made; -1 at a stop before the call: none
 *   registers_compat(&regs)           does the tracee run 32-bit code?
 *   registers_undecoded(tid)          does it run code of an ABI that syscalls.h does not know?
 *   registers_rolled_back(number, args)  the "result" of a call that a seccomp filter has trapped
 *   registers_moved(&regs, argument, instruction)  at PTRACE_EVENT_EXIT: what the call has returned that death has cut
 *                                     short (argument 0 was that, the instruction behind it is there); 0 or less: it
 *                                     has not moved anything; REGISTERS_UNKNOWN
 *   REGISTERS_CALL_LENGTH             bytes of the instruction that makes a call
 *   registers_stack(&regs)            the stack pointer
 *   registers_context(&regs)          at a signal handler's first instruction: address of its ucontext_t, or 0
 *   CONTEXT_RESULT                    offset of the return value in a ucontext_t
 */

#endif
