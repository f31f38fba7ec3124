/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A connect(2) that a stub makes, of a TCP socket that was never used: before the call it is written down whom it names,
 * and behind it what the tracer would have asked the kernel then. Like ending.S it is only copied from here, to
 * FAST_ATTEMPT, where the filter lets calls pass; there is no stack, and registers go into an entry, of FAST_ATTEMPTS
 * (struct entry of ../count/attempts.c). A stub comes here with its fd in edi, in whose slot its call is counted, and
 * with the address where it goes on in r11: there the carry flag says, before the call, that it has to stop, and behind
 * it that its entry is not its own any more.
 *
 * None of these calls waits, nor changes anything. A thread that gets a signal here, or that is led out for another
 * reason, goes back: before the call as if no entry had been free, behind it to right behind the call (attempter.c).
 * What it had to do there it does again, or the tracer does it (../patch/connector.c).
 *
 * The slot's state is changed by cmpxchg alone: a stop may have said something else of the fd since.
 */
#include <asm/unistd.h>

#include "fast/image/asking.h"
#include "fast/image/layout.h"

#define LENGTH_LEAST 16 /* struct sockaddr_in */
#define EHOSTUNREACH 113
#define ENETUNREACH 101
#define ECONNREFUSED 111
#define ETIMEDOUT 110
#define EINPROGRESS 115
#define TRIES 4 /* as many entries are looked at */

	/* The entry's offset is in \from, which is not changed. */
	.macro SAVE from
	mov	qword ptr [\from + FAST_ATTEMPTS + ATTEMPT_RSI], rsi
	mov	qword ptr [\from + FAST_ATTEMPTS + ATTEMPT_RDX], rdx
	mov	qword ptr [\from + FAST_ATTEMPTS + ATTEMPT_R10], r10
	mov	qword ptr [\from + FAST_ATTEMPTS + ATTEMPT_R8], r8
	mov	qword ptr [\from + FAST_ATTEMPTS + ATTEMPT_RBX], rbx
	mov	qword ptr [\from + FAST_ATTEMPTS + ATTEMPT_R11], r11
	mov	qword ptr [\from + FAST_ATTEMPTS + ATTEMPT_RDI], rdi
	mov	qword ptr [\from + FAST_ATTEMPTS + ATTEMPT_R9], r9
	.endm

	/* Its address is in rcx. */
	.macro RESTORE
	mov	rsi, qword ptr [rcx + ATTEMPT_RSI]
	mov	rdx, qword ptr [rcx + ATTEMPT_RDX]
	mov	r10, qword ptr [rcx + ATTEMPT_R10]
	mov	r8, qword ptr [rcx + ATTEMPT_R8]
	mov	r11, qword ptr [rcx + ATTEMPT_R11]
	mov	rdi, qword ptr [rcx + ATTEMPT_RDI]
	mov	r9, qword ptr [rcx + ATTEMPT_R9]
	mov	rbx, qword ptr [rcx + ATTEMPT_RBX]
	.endm

	.intel_syntax noprefix
	.section .rodata
	.balign 16
	LABEL	attempt_begin
	.quad	FAST_ATTEMPT + 16 /* stubs jump through these */
	.quad	FAST_ATTEMPT + attempt_returned - attempt_begin
	mov	ecx, TRIES
.Ltry:
	mov	eax, 1
	lock xadd dword ptr ds:[FAST_ATTEMPT_NEXT], eax
	and	eax, FAST_ATTEMPT_COUNT - 1
	lock bts dword ptr [rax * 4 + FAST_ATTEMPT_STATES], 0
	LABEL	attempt_tried
	jnc	attempt_claimed
	dec	ecx
	jnz	.Ltry
	mov	eax, __NR_connect
	stc
	jmp	r11
	LABEL	attempt_claimed
	shl	eax, FAST_ATTEMPT_BITS
	LABEL	attempt_placed
	SAVE	rax
	mov	qword ptr [rax + FAST_ATTEMPTS + ATTEMPT_RSP], rsp
	lea	ebx, [rax + FAST_ATTEMPTS]
	LABEL	attempt_saved
	lock inc dword ptr ds:[FAST_ATTEMPTED]
	mov	dword ptr [rbx + ATTEMPT_FD], edi
	mov	eax, edi
	shl	eax, FAST_SLOT_BITS
	mov	eax, dword ptr [rax + FAST_SLOTS + FAST_SLOT_GENERATION]
	mov	dword ptr [rbx + ATTEMPT_GENERATION], eax
	mov	dword ptr [rbx + ATTEMPT_OUTCOME], FAST_OUTCOME_OPEN
	rdfsbase rax
	mov	qword ptr [rbx + ATTEMPT_THREAD], rax
	/* Whom it names. To read that here could fault; the kernel reads it for us. */
	mov	dword ptr [rbx + ATTEMPT_ASKED_LENGTH], edx
	lea	ecx, [rdx - LENGTH_LEAST]
	cmp	ecx, ATTEMPT_ASKED_SIZE - LENGTH_LEAST
	ja	.Lrefuse
	mov	eax, edx
	mov	qword ptr [rbx + ATTEMPT_IOVECS + 8], rax
	mov	qword ptr [rbx + ATTEMPT_IOVECS + 24], rax
	lea	rax, [rbx + ATTEMPT_ASKED]
	mov	qword ptr [rbx + ATTEMPT_IOVECS], rax
	mov	qword ptr [rbx + ATTEMPT_IOVECS + 16], rsi
	mov	eax, __NR_getpid
	syscall
	mov	edi, eax
	lea	rsi, [rbx + ATTEMPT_IOVECS]
	mov	edx, 1
	lea	r10, [rbx + ATTEMPT_IOVECS + 16]
	mov	r8d, 1
	xor	r9d, r9d
	mov	eax, __NR_process_vm_readv
	syscall
	cmp	eax, dword ptr [rbx + ATTEMPT_ASKED_LENGTH]
	jne	.Lrefuse
	movzx	eax, word ptr [rbx + ATTEMPT_ASKED]
	cmp	eax, AF_INET
	je	.Linternet
	cmp	eax, AF_INET6
	jne	.Lrefuse
.Linternet:
	rdtsc
	mov	dword ptr [rbx + ATTEMPT_SINCE], eax
	mov	dword ptr [rbx + ATTEMPT_SINCE + 4], edx
	mov	r8d, dword ptr [rbx + ATTEMPT_FD]
	shl	r8d, FAST_SLOT_BITS
	/* One connects it, whoever else tries. */
	mov	eax, dword ptr [rbx + ATTEMPT_GENERATION]
	mov	ecx, eax
	or	eax, FAST_MADE
	or	ecx, FAST_CONNECTING
	lock cmpxchg dword ptr [r8 + FAST_SLOTS + FAST_SLOT_STATE], ecx
	LABEL	attempt_exchanged
	je	attempt_owned
.Lrefuse:
	mov	ecx, ebx
	lea	eax, [rbx - FAST_ATTEMPTS]
	shr	eax, FAST_ATTEMPT_BITS - 2
	LABEL	attempt_refusing
	RESTORE
	mov	dword ptr [rax + FAST_ATTEMPT_STATES], FAST_ATTEMPT_FREE
	LABEL	attempt_refused
	mov	eax, __NR_connect
	stc
	jmp	r11
	LABEL	attempt_owned
	lea	eax, [rbx - FAST_ATTEMPTS]
	mov	dword ptr [r8 + FAST_SLOTS + FAST_SLOT_ATTEMPT], eax
	mov	ecx, ebx
	LABEL	attempt_restoring
	RESTORE
	mov	eax, __NR_connect
	clc
	jmp	r11

	LABEL	attempt_returned
	mov	ecx, edi
	shl	ecx, FAST_SLOT_BITS
	mov	ecx, dword ptr [rcx + FAST_SLOTS + FAST_SLOT_ATTEMPT]
	and	ecx, (FAST_ATTEMPT_COUNT - 1) << FAST_ATTEMPT_BITS
	/* A later tracer forgets what the slots say. */
	cmp	qword ptr [rcx + FAST_ATTEMPTS + ATTEMPT_RSP], rsp
	jne	attempt_lost
	mov	qword ptr [rcx + FAST_ATTEMPTS + ATTEMPT_RESULT], rax
	SAVE	rcx
	lea	ebx, [rcx + FAST_ATTEMPTS]
	LABEL	attempt_entered
	rdtsc
	mov	dword ptr [rbx + ATTEMPT_UNTIL], eax
	mov	dword ptr [rbx + ATTEMPT_UNTIL + 4], edx
	lea	rsi, [rbx + ATTEMPT_STAT]
	CALL	__NR_fstat, ATTEMPT_STAT_RESULT
	mov	dword ptr [rbx + ATTEMPT_PROTOCOL], 0
	mov	dword ptr [rbx + ATTEMPT_LENGTH], 4
	OPTION	SOL_SOCKET, SO_PROTOCOL, ATTEMPT_PROTOCOL, ATTEMPT_LENGTH, ATTEMPT_PROTOCOL_RESULT
	NAME	__NR_getsockname, ATTEMPT_LOCAL, ATTEMPT_LOCAL_LENGTH, ATTEMPT_NAME_SIZE, ATTEMPT_LOCAL_RESULT
	xor	eax, eax
	mov	qword ptr [rbx + ATTEMPT_PEER], rax
	mov	qword ptr [rbx + ATTEMPT_PEER + 8], rax
	mov	qword ptr [rbx + ATTEMPT_PEER + 16], rax
	mov	qword ptr [rbx + ATTEMPT_PEER + 24], rax
	NAME	__NR_getpeername, ATTEMPT_PEER, ATTEMPT_PEER_LENGTH, ATTEMPT_NAME_SIZE, ATTEMPT_PEER_RESULT
	mov	dword ptr [rbx + ATTEMPT_INFO_RESULT], -1
	/* How far it has come, if it is not connected. */
	or	eax, dword ptr [rbx + ATTEMPT_RESULT]
	jz	.Lasked
	mov	dword ptr [rbx + ATTEMPT_LENGTH], ATTEMPT_INFO_SIZE
	OPTION	SOL_TCP, TCP_INFO, ATTEMPT_INFO, ATTEMPT_LENGTH, ATTEMPT_INFO_RESULT
.Lasked:
	/* What the slot is to say. */
	cmp	dword ptr [rbx + ATTEMPT_OUTCOME], FAST_OUTCOME_OPEN
	jne	.Lsaid
	mov	r8d, edi
	shl	r8d, FAST_SLOT_BITS
	mov	ecx, FAST_NOTHING
	mov	eax, dword ptr [rbx + ATTEMPT_RESULT]
	test	eax, eax
	jnz	.Lfailed
.Lhas_peer:
	or	eax, dword ptr [rbx + ATTEMPT_STAT_RESULT]
	or	eax, dword ptr [rbx + ATTEMPT_PROTOCOL_RESULT]
	or	eax, dword ptr [rbx + ATTEMPT_LOCAL_RESULT]
	or	eax, dword ptr [rbx + ATTEMPT_PEER_RESULT]
	jnz	.Lsay
	cmp	dword ptr [rbx + ATTEMPT_PROTOCOL], IPPROTO_TCP
	jne	.Lsay
	test	dword ptr ds:[FAST_FLAGS], FAST_HEEDS
	jz	.Lpasses
	mov	rsi, qword ptr [rbx + ATTEMPT_PEER]
	mov	rdx, qword ptr [rbx + ATTEMPT_PEER + 8]
	mov	r9, qword ptr [rbx + ATTEMPT_PEER + 16]
	mov	r10, qword ptr [rbx + ATTEMPT_PEER + 24]
	mov	rax, rsi
	xor	rax, rdx
	xor	rax, r9
	xor	rax, r10
	mov	r11, rax
	shr	r11, 32
	xor	eax, r11d
	mov	r11d, eax
	shr	r11d, 16
	xor	eax, r11d
	and	eax, FAST_PEER_COUNT - 1
	shl	eax, FAST_PEER_BITS
	cmp	rsi, qword ptr [rax + FAST_PEERS]
	jne	.Lsay
	cmp	rdx, qword ptr [rax + FAST_PEERS + 8]
	jne	.Lsay
	cmp	r9, qword ptr [rax + FAST_PEERS + 16]
	jne	.Lsay
	cmp	r10, qword ptr [rax + FAST_PEERS + 24]
	jne	.Lsay
.Lpasses:
	mov	ecx, dword ptr [rbx + ATTEMPT_GENERATION]
	or	ecx, FAST_CONNECTED
	jmp	.Lsay
.Lfailed:
	/* On the loopback it is connected before this call has returned. */
	xor	edx, edx
	cmp	eax, -EINPROGRESS
	cmove	eax, edx
	je	.Lhas_peer
	/* It can be connected anew, and nothing is left of this. */
	cmp	eax, -ECONNREFUSED
	je	.Lunused
	cmp	eax, -ETIMEDOUT
	je	.Lunused
	cmp	eax, -EHOSTUNREACH
	je	.Lunused
	cmp	eax, -ENETUNREACH
	jne	.Lsay
.Lunused:
	mov	ecx, dword ptr [rbx + ATTEMPT_GENERATION]
	or	ecx, FAST_MADE
.Lsay:
	mov	edx, dword ptr [rbx + ATTEMPT_GENERATION]
	cmp	cl, FAST_MADE
	je	.Lchange
	/* Its close is not to pass unseen. */
	mov	eax, edx
	or	eax, FAST_USED
	mov	dword ptr [r8 + FAST_SLOTS + FAST_SLOT_LEARNT], eax
.Lchange:
	mov	eax, edx
	or	eax, FAST_CONNECTING
	lock cmpxchg dword ptr [r8 + FAST_SLOTS + FAST_SLOT_STATE], ecx
	jne	.Lother
	mov	eax, FAST_OUTCOME_LEFT
	cmp	cl, FAST_CONNECTED
	jne	.Ltell
.Lpassing:
	mov	eax, FAST_OUTCOME_PASSES
	jmp	.Ltell
.Lother:
	/* The tracer has found out what it is; or it has been closed at a stop; or this was here before. */
	xor	edx, eax
	cmp	edx, FAST_CONNECTED
	je	.Lpassing
	mov	eax, FAST_OUTCOME_LEFT
	cmp	edx, FAST_MADE
	je	.Ltell
	cmp	edx, FAST_STOPS
	jbe	.Ltell
	mov	eax, FAST_OUTCOME_CHANGED
.Ltell:
	mov	dword ptr [rbx + ATTEMPT_OUTCOME], eax
.Lsaid:
	mov	ecx, ebx
	LABEL	attempt_telling
	RESTORE
	mov	rax, qword ptr [rcx + ATTEMPT_RESULT]
	LABEL	attempt_told
	sub	ecx, FAST_ATTEMPTS
	shr	ecx, FAST_ATTEMPT_BITS - 2
	/* The last word of it: from now on the tracer may read the entry, and give it to another. */
	mov	dword ptr [rcx + FAST_ATTEMPT_STATES], FAST_ATTEMPT_WHOLE
	LABEL	attempt_committed
	mov	ecx, edi
	shl	ecx, FAST_SLOT_BITS
	lock btr dword ptr [rcx + FAST_SLOTS + FAST_SLOT_STATE], FAST_CONNECTED_BIT
	clc
	jmp	r11
	LABEL	attempt_lost
	stc
	jmp	r11
	LABEL	attempt_end
	.org	attempt_begin + FAST_STUBS_FIRST - FAST_ATTEMPT /* it has to end before that */
	.section .note.GNU-stack, "", @progbits
