/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The end of a socket that is closed in a stub: what the tracer would have asked the kernel at a stop, its identity and
 * its counters, is asked here, right before the close. Like stub.S it is only copied from here, to FAST_ENDING, where
 * the filter lets calls pass. A stub comes here with its fd in edi, whose generation is odd, so that nobody begins a
 * call on it; with the address where it goes on in r11; and nobody is in a call on it.
 *
 * There is no stack (see stub.S): the registers go into an entry of FAST_ENDINGS, and so does what the kernel says
 * (struct ending of ../count/endings.c). None of these calls waits, nor changes anything, so it may be done again: a
 * thread that gets a signal here, or that is led out for another reason, goes back to its stub as if no entry had been
 * free (ender.c). It goes on there with the carry flag set, and stops.
 */
#include <asm/unistd.h>

#include "fast/image/asking.h"
#include "fast/image/layout.h"

#define SIOCINQ 0x541b
#define SIOCOUTQ 0x5411
#define INET_LENGTH 16 /* struct sockaddr_in */
#define INET6_LENGTH 28
#define TRIES 4 /* as many entries are looked at */
#define READINGS 8

/* Of struct tcp_info, linux/tcp.h. */
#define INFO_STATE 0
#define INFO_ACKED 120
#define INFO_RECEIVED 128

	.macro NUMBER name, to, result
	mov	dword ptr [rbx + \to], 0
	mov	dword ptr [rbx + ENDING_LENGTH], 4
	OPTION	SOL_SOCKET, \name, \to, ENDING_LENGTH, \result
	.endm

	.macro QUEUE request, to, result
	mov	esi, \request
	lea	rdx, [rbx + \to]
	CALL	__NR_ioctl, \result
	.endm

	.macro READ_INFO
	mov	dword ptr [rbx + ENDING_LENGTH], ENDING_INFO_SIZE
	OPTION	SOL_TCP, TCP_INFO, ENDING_INFO, ENDING_LENGTH, ENDING_INFO_RESULT
	.endm

	.intel_syntax noprefix
	.section .rodata
	.balign 16
	LABEL	ending_begin
	.quad	FAST_ENDING + 8 /* stubs jump through this */
	mov	ecx, TRIES
.Ltry:
	mov	eax, 1
	lock xadd dword ptr ds:[FAST_ENDING_NEXT], eax
	and	eax, FAST_ENDING_COUNT - 1
	lock bts dword ptr [rax * 4 + FAST_ENDING_STATES], 0
	LABEL	ending_tried
	jnc	ending_claimed
	dec	ecx
	jnz	.Ltry
	mov	eax, __NR_close
	stc
	jmp	r11
	LABEL	ending_claimed
	shl	eax, FAST_ENDING_BITS
	LABEL	ending_placed
	mov	qword ptr [rax + FAST_ENDINGS + ENDING_RSI], rsi
	mov	qword ptr [rax + FAST_ENDINGS + ENDING_RDX], rdx
	mov	qword ptr [rax + FAST_ENDINGS + ENDING_R10], r10
	mov	qword ptr [rax + FAST_ENDINGS + ENDING_R8], r8
	mov	qword ptr [rax + FAST_ENDINGS + ENDING_RBX], rbx
	mov	qword ptr [rax + FAST_ENDINGS + ENDING_R11], r11
	lea	ebx, [rax + FAST_ENDINGS]
	LABEL	ending_saved
	lock inc dword ptr ds:[FAST_ENDED]
	mov	dword ptr [rbx + ENDING_FD], edi
	mov	eax, edi
	shl	eax, FAST_SLOT_BITS
	mov	ecx, dword ptr [rax + FAST_SLOTS + FAST_SLOT_BORN]
	mov	dword ptr [rbx + ENDING_BORN], ecx
	mov	eax, dword ptr [rax + FAST_SLOTS + FAST_SLOT_GENERATION]
	xor	eax, FAST_STEP
	mov	dword ptr [rbx + ENDING_GENERATION], eax
	rdfsbase rax
	mov	qword ptr [rbx + ENDING_THREAD], rax

	lea	rsi, [rbx + ENDING_STAT]
	CALL	__NR_fstat, ENDING_STAT_RESULT
	NUMBER	SO_DOMAIN, ENDING_DOMAIN, ENDING_DOMAIN_RESULT
	NUMBER	SO_TYPE, ENDING_TYPE, ENDING_TYPE_RESULT
	NUMBER	SO_PROTOCOL, ENDING_PROTOCOL, ENDING_PROTOCOL_RESULT
	NAME	__NR_getsockname, ENDING_LOCAL, ENDING_LOCAL_LENGTH, ENDING_ADDRESS_SIZE, ENDING_LOCAL_RESULT
	NAME	__NR_getpeername, ENDING_PEER, ENDING_PEER_LENGTH, ENDING_ADDRESS_SIZE, ENDING_PEER_RESULT
	/* Of a connection that is over getpeername(2) says nothing any more. A length beyond the address's own is an
	 * error (net/core/sock.c). */
	mov	ecx, INET_LENGTH
	mov	eax, INET6_LENGTH
	cmp	dword ptr [rbx + ENDING_DOMAIN], AF_INET6
	cmove	ecx, eax
	mov	dword ptr [rbx + ENDING_WAS_LENGTH], ecx
	OPTION	SOL_SOCKET, SO_PEERNAME, ENDING_WAS, ENDING_WAS_LENGTH, ENDING_WAS_RESULT
	mov	dword ptr [rbx + ENDING_INFO_RESULT], -1
	cmp	dword ptr [rbx + ENDING_TYPE], SOCK_STREAM
	jne	.Lasked
	cmp	dword ptr [rbx + ENDING_PROTOCOL], IPPROTO_TCP
	jne	.Lasked
	/* The peer may send or acknowledge between these calls: read until the counters have held still (as tcp.c). */
	mov	dword ptr [rbx + ENDING_READINGS], READINGS
	READ_INFO
.Lagain:
	mov	rax, qword ptr [rbx + ENDING_INFO + INFO_ACKED]
	mov	qword ptr [rbx + ENDING_ACKED], rax
	mov	rax, qword ptr [rbx + ENDING_INFO + INFO_RECEIVED]
	mov	qword ptr [rbx + ENDING_RECEIVED], rax
	movzx	eax, byte ptr [rbx + ENDING_INFO + INFO_STATE]
	mov	dword ptr [rbx + ENDING_STATE], eax
	QUEUE	SIOCOUTQ, ENDING_OUTQ, ENDING_OUTQ_RESULT
	QUEUE	SIOCINQ, ENDING_INQ, ENDING_INQ_RESULT
	READ_INFO
	dec	dword ptr [rbx + ENDING_READINGS]
	jz	.Lasked
	mov	rax, qword ptr [rbx + ENDING_INFO + INFO_ACKED]
	cmp	rax, qword ptr [rbx + ENDING_ACKED]
	jne	.Lagain
	mov	rax, qword ptr [rbx + ENDING_INFO + INFO_RECEIVED]
	cmp	rax, qword ptr [rbx + ENDING_RECEIVED]
	jne	.Lagain
	movzx	eax, byte ptr [rbx + ENDING_INFO + INFO_STATE]
	cmp	eax, dword ptr [rbx + ENDING_STATE]
	jne	.Lagain
.Lasked:
	mov	ecx, ebx
	lea	eax, [rbx - FAST_ENDINGS]
	shr	eax, FAST_ENDING_BITS - 2
	LABEL	ending_restoring
	mov	rsi, qword ptr [rcx + ENDING_RSI]
	mov	rdx, qword ptr [rcx + ENDING_RDX]
	mov	r10, qword ptr [rcx + ENDING_R10]
	mov	r8, qword ptr [rcx + ENDING_R8]
	mov	r11, qword ptr [rcx + ENDING_R11]
	mov	rbx, qword ptr [rcx + ENDING_RBX]
	/* The last word of it: from now on the tracer may read the entry, and give it to another. */
	mov	dword ptr [rax + FAST_ENDING_STATES], FAST_ENDING_WHOLE
	LABEL	ending_committed
	mov	eax, __NR_close
	clc
	jmp	r11
	LABEL	ending_end
	.org	ending_begin + FAST_ATTEMPT - FAST_ENDING /* it has to end before that */
	.section .note.GNU-stack, "", @progbits
