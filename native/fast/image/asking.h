/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How code in the tracee asks the kernel about the socket in edi: for ending.S and attempt.S, whose entry is in rbx.
 * What the call says and what it returned go into the entry; rax, rcx and r11 are lost, as in each call.
 */
#ifndef PT_FAST_ASKING_H
#define PT_FAST_ASKING_H

/* clang-format off */
#define SOL_SOCKET 1
#define SO_TYPE 3
#define SO_PEERNAME 28
#define SO_PROTOCOL 38
#define SO_DOMAIN 39
#define SOL_TCP 6
#define TCP_INFO 11
#define AF_INET 2
#define AF_INET6 10
#define SOCK_STREAM 1
#define IPPROTO_TCP 6

	.macro LABEL name
	.globl	\name
	.hidden	\name
\name:
	.endm

	.macro CALL number, result
	mov	eax, \number
	syscall
	mov	dword ptr [rbx + \result], eax
	.endm

/* getsockopt(2); the length is there already. */
	.macro OPTION level, name, to, length, result
	mov	esi, \level
	mov	edx, \name
	lea	r10, [rbx + \to]
	lea	r8, [rbx + \length]
	CALL	__NR_getsockopt, \result
	.endm

/* getsockname(2) or getpeername(2) */
	.macro NAME number, to, length, size, result
	mov	dword ptr [rbx + \length], \size
	lea	rsi, [rbx + \to]
	lea	rdx, [rbx + \length]
	CALL	\number, \result
	.endm
/* clang-format on */

#endif
