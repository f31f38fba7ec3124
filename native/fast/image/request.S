/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How a thread requests that its tracer looks at the call that it is about to make, where no filter does that (attach.c). Like
 * stub.S it is only copied from here, to FAST_REQUEST. A twin comes here with the address of its call in r11.
 *
 * The thread sends itself FAST_SIGNAL (layout.h says why that one), whose default action is to be ignored. Before a
 * signal is delivered the tracer sees the thread stop (signal-delivery-stop), does the rest of this, and takes the
 * signal away: requests.c has the whole story. If there is no tracer any more, the worst that happens is that signal to a
 * program that has a handler for it, once: then FAST_ALONE is set.
 */
#include "fast/image/layout.h"

#define RT_SIGPROCMASK 14
#define GETPID 39
#define GETTID 186
#define RT_TGSIGQUEUEINFO 297
#define SIG_SETMASK 2
#define SI_QUEUE -1

/* A place of FAST_SAVED; struct saved of requester.c */
#define SAVED_RAX FAST_SAVED
#define SAVED_RDI FAST_SAVED + 8
#define SAVED_RSI FAST_SAVED + 16
#define SAVED_RDX FAST_SAVED + 24
#define SAVED_R10 FAST_SAVED + 32
#define SAVED_RBX FAST_SAVED + 40
#define SAVED_R11 FAST_SAVED + 48
#define SAVED_ANSWER FAST_SAVED + 56
#define SAVED_TAKEN FAST_SAVED + 60
#define SAVED_MASK FAST_SAVED + 64
#define SAVED_PID FAST_SAVED + 72
#define SAVED_TID FAST_SAVED + 76

	.macro LABEL name
	.globl	\name
	.hidden	\name
\name:
	.endm

	.intel_syntax noprefix
	.section .rodata
	.balign 16
	LABEL	request_begin
	/* There is no stack (see stub.S): the registers go to a place that this thread takes, and that nobody else
	 * gets before it is given back. The search begins elsewhere for each thread. There are as many places as a
	 * process may have threads, and of a traced one each has one at most: so there is a free one, or will be in a
	 * moment. */
	rdfsbase rcx
	shr	rcx, FAST_THREAD_BITS - FAST_SAVED_BITS
.Ltry:
	test	dword ptr ds:[FAST_FLAGS], FAST_ALONE
	jnz	.Lalone
	and	ecx, (FAST_THREADS - 1) << FAST_SAVED_BITS
	lock bts dword ptr [rcx + SAVED_TAKEN], 0
	LABEL	request_tried
	jnc	request_claimed
	add	ecx, 1 << FAST_SAVED_BITS
	jmp	.Ltry
	LABEL	request_claimed
	mov	qword ptr [rcx + SAVED_RAX], rax
	mov	qword ptr [rcx + SAVED_RDI], rdi
	mov	qword ptr [rcx + SAVED_RSI], rsi
	mov	qword ptr [rcx + SAVED_RDX], rdx
	mov	qword ptr [rcx + SAVED_R10], r10
	mov	qword ptr [rcx + SAVED_RBX], rbx
	mov	qword ptr [rcx + SAVED_R11], r11
	mov	dword ptr [rcx + SAVED_ANSWER], 0
	mov	qword ptr [rcx + SAVED_MASK], -1	/* no mask: the kernel never blocks SIGKILL */
	mov	ebx, ecx			/* a register that calls leave alone */
	LABEL	request_saved
	mov	eax, GETPID
	syscall
	mov	dword ptr [rbx + SAVED_PID], eax
	mov	eax, GETTID
	syscall
	mov	dword ptr [rbx + SAVED_TID], eax
	/* From here on no handler runs. */
	mov	eax, RT_SIGPROCMASK
	mov	edi, SIG_SETMASK
	lea	rsi, [rip + .Levery]
	lea	rdx, [rbx + SAVED_MASK]
	mov	r10d, 8
	syscall
	mov	eax, RT_TGSIGQUEUEINFO
	mov	edi, dword ptr [rbx + SAVED_PID]
	mov	esi, dword ptr [rbx + SAVED_TID]
	mov	edx, FAST_SIGNAL
	lea	r10, [rip + .Linfo]
	syscall
	LABEL	request_sent
	/* Only now is it let in: a signal sent to the thread comes before those of its process, of which it would else
	 * take one away that is none of its business. */
	mov	eax, RT_SIGPROCMASK
	mov	edi, SIG_SETMASK
	lea	rsi, [rip + .Lothers]
	xor	edx, edx
	mov	r10d, 8
	syscall
	LABEL	request_delivered
	/* Nobody has taken it out of here: the tracer is gone. */
	mov	eax, RT_SIGPROCMASK
	mov	edi, SIG_SETMASK
	lea	rsi, [rbx + SAVED_MASK]
	xor	edx, edx
	mov	r10d, 8
	syscall
	LABEL	request_restored
	cmp	dword ptr [rbx + SAVED_ANSWER], 0
	jne	request_answered
	/* It was killed, or it would have put the program's code back; and there is none that has taken over meanwhile.
	 * From now on every call is made as if there were no stubs. */
	lock or	dword ptr ds:[FAST_FLAGS], FAST_ALONE | FAST_ALL_STOP
	LABEL	request_answered
	mov	ecx, ebx
	mov	rax, qword ptr [rcx + SAVED_RAX]
	mov	rdi, qword ptr [rcx + SAVED_RDI]
	mov	rsi, qword ptr [rcx + SAVED_RSI]
	mov	rdx, qword ptr [rcx + SAVED_RDX]
	mov	r10, qword ptr [rcx + SAVED_R10]
	mov	r11, qword ptr [rcx + SAVED_R11]
	mov	rbx, qword ptr [rcx + SAVED_RBX]
	mov	dword ptr [rcx + SAVED_TAKEN], 0
.Lalone:
	jmp	r11
	.balign 8
.Levery:
	.quad	-1
.Lothers:
	.quad	~(1 << (FAST_SIGNAL - 1))
.Linfo:	/* siginfo_t */
	.long	FAST_SIGNAL, 0, SI_QUEUE, 0
	.quad	0	/* by nobody */
	.quad	FAST_SIGNAL_VALUE
	.zero	96
	LABEL	request_end
	.section .note.GNU-stack, "", @progbits
