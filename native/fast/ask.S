/* SPDX-License-Identifier: GPL-2.0-only
 *
 * How a thread asks its tracer to look at the call that it is about to make, where no filter does that (attach.c). Like
 * stub.S it is only copied from here, to FAST_ASK. A twin comes here with the address of its call in r11.
 *
 * The thread sends itself SIGURG, which nobody misses: its default action is to be ignored. Before a signal is delivered
 * the tracer sees the thread stop (signal-delivery-stop), and takes the signal away. If there is no tracer any more, the
 * worst that happens is a SIGURG to a program that has a handler for it, once: then FAST_ALONE is set.
 */
#include "layout.h"

#define RT_SIGPROCMASK 14
#define GETTID 186
#define TKILL 200
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2
#define SIGURG 23

/* A place of FAST_SAVED */
#define SAVED_RAX FAST_SAVED
#define SAVED_RDI FAST_SAVED + 8
#define SAVED_RSI FAST_SAVED + 16
#define SAVED_RDX FAST_SAVED + 24
#define SAVED_R10 FAST_SAVED + 32
#define SAVED_RBX FAST_SAVED + 40
#define SAVED_R11 FAST_SAVED + 48
#define SAVED_ANSWER FAST_SAVED + 56
#define SAVED_MASK FAST_SAVED + 64

	.intel_syntax noprefix
	.section .rodata
	.globl	ask_begin, ask_saved, ask_unblocked, ask_asked, ask_end
	.hidden	ask_begin, ask_saved, ask_unblocked, ask_asked, ask_end
	.balign 16
ask_begin:
	test	dword ptr ds:[FAST_FLAGS], FAST_ALONE
	jnz	.Lalone
	/* There is no stack (see stub.S): the registers go to a place of their own. Of these there are more than threads
	 * may be here at a time, and each takes the next one. */
	mov	ecx, 1
	lock xadd qword ptr ds:[FAST_ASKS], rcx
	and	ecx, FAST_THREADS - 1
	shl	ecx, FAST_SAVED_BITS
	mov	qword ptr [rcx + SAVED_RAX], rax
	mov	qword ptr [rcx + SAVED_RDI], rdi
	mov	qword ptr [rcx + SAVED_RSI], rsi
	mov	qword ptr [rcx + SAVED_RDX], rdx
	mov	qword ptr [rcx + SAVED_R10], r10
	mov	qword ptr [rcx + SAVED_RBX], rbx
	mov	qword ptr [rcx + SAVED_R11], r11
	mov	dword ptr [rcx + SAVED_ANSWER], 0
	mov	ebx, ecx			/* a register that calls leave alone */
ask_saved:
	/* A blocked signal would wait, and the thread would go on unseen. */
	mov	eax, RT_SIGPROCMASK
	mov	edi, SIG_UNBLOCK
	lea	rsi, [rip + .Lurgent]
	lea	rdx, [rbx + SAVED_MASK]
	mov	r10d, 8
	syscall
ask_unblocked:
	mov	eax, GETTID
	syscall
	mov	edi, eax
	mov	esi, SIGURG
	mov	eax, TKILL
	syscall
ask_asked:
	mov	eax, RT_SIGPROCMASK
	mov	edi, SIG_SETMASK
	lea	rsi, [rbx + SAVED_MASK]
	xor	edx, edx
	mov	r10d, 8
	syscall
	cmp	dword ptr [rbx + SAVED_ANSWER], 0
	jne	.Lanswered
	/* The tracer is gone (killed: it would have put the program's code back). From now on every call is made as if
	 * there were no stubs, until another tracer takes over. */
	lock or	dword ptr ds:[FAST_FLAGS], FAST_ALONE | FAST_ALL_STOP
.Lanswered:
	mov	rax, qword ptr [rbx + SAVED_RAX]
	mov	rdi, qword ptr [rbx + SAVED_RDI]
	mov	rsi, qword ptr [rbx + SAVED_RSI]
	mov	rdx, qword ptr [rbx + SAVED_RDX]
	mov	r10, qword ptr [rbx + SAVED_R10]
	mov	r11, qword ptr [rbx + SAVED_R11]
	mov	rbx, qword ptr [rbx + SAVED_RBX]
.Lalone:
	jmp	r11
	.balign 8
.Lurgent:
	.quad	1 << (SIGURG - 1)
ask_end:
	.section .note.GNU-stack, "", @progbits
