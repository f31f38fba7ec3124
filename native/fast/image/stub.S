/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The code that counts. What stands here is never run in ptmon: emit_code.c copies it into the tracee, once for each place
 * (site) where the program makes system calls, and puts a jump to the copy there. It behaves as the replaced
 * instructions do, and makes a record of the call. README.md tells the whole story.
 *
 * What it may touch. The program expects of a syscall instruction that rax gets the result and that rcx and r11 are
 * lost, and that is all. So rcx and r11 are free, before the call as after it, but do not live through it. There is no
 * stack: below rsp lies the red zone of whoever calls (System V ABI), and a goroutine's stack may end right there. The
 * flags are free: nothing reads them before it sets them, or ranges.c would not have chosen the place.
 *
 * The call itself stands here as the program would make it, with the program's registers: so signals interrupt it, and
 * the kernel restarts it (rip -= 2), as ever.
 */
#include <asm/unistd.h>

#include "fast/image/hot_calls.h"
#include "fast/image/layout.h"

#define MSG_PEEK 0x2
#define MSG_ERRQUEUE 0x2000
#define PROT_WRITE 0x2
#define PROT_EXEC 0x4
#define MADV_DONTNEED 4
#define MADV_DONTNEED_LOCKED 24
#define MAP_UNUSUAL 0x40140 /* MAP_HUGETLB, MAP_GROWSDOWN, MAP_32BIT */
#define MREMAP_FIXED 0x2
#define AF_INET 2
#define AF_INET6 10
#define SOCK_STREAM 1
#define SOCK_NONBLOCK 0x800
#define SOCK_CLOEXEC 0x80000
#define IPPROTO_TCP 6

	.intel_syntax noprefix

/* Two nops of 8 bytes: one of 16 there is not. */
	.macro ROOM
	.byte 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0
	.byte 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0
	.endm

/* One stub: STUB_BEGIN, the calls that it counts, STUB_END. */
	.macro STUB_BEGIN stub
	.pushsection .data.rel.ro, "aw"
	.balign 8
\stub\()_bodies:
	.popsection
	.section .rodata
	.balign 16
\stub\()_begin:
	ROOM	/* for replaced instructions (FAST_ROOM_BEFORE) */
	.endm

	.macro STUB_END stub
	/* None of the numbers that this stub counts. The tracer may want to see the call all the same. */
	cmp	eax, FAST_NUMBERS
	jae	\stub\()_plain
	bt	dword ptr ds:[FAST_WATCHED], eax
	jc	\stub\()_twin
\stub\()_plain:
	syscall
\stub\()_plain_done:
	jmp	\stub\()_tail
	/* The fd's state has changed since it was looked at, or the ring is full: no longer under way, and it stops. */
\stub\()_back_out:
	mov	ecx, edi
	shl	ecx, FAST_SLOT_BITS
	lock dec dword ptr [rcx + FAST_SLOTS + FAST_SLOT_UNDER_WAY]
	/* To the same call outside of the range that the filter lets pass. */
\stub\()_twin:
	jmp	qword ptr [rip + \stub\()_to_twin]
\stub\()_tail:
	ROOM	/* for replaced instructions (FAST_ROOM_AFTER) */
	jmp	qword ptr [rip + \stub\()_to_site]
	.balign 8, 0xcc
\stub\()_to_site:
	.quad	0
\stub\()_to_twin:
	.quad	0
\stub\()_end:
	.pushsection .data.rel.ro
\stub\()_bodies_end:
	.popsection
	.endm

/* Tells the tracer where in a copy a thread may be found, struct stub_body of stub.h. */
	.macro BODY stub, number, under_way, done, claimed, placed, kept, lent, returned, committed, released, closing, \
		used, ended, undone, ready, asked
	.pushsection .data.rel.ro
	.long	\number
	.long	\under_way - \stub\()_begin
	.long	\done - \stub\()_begin
	.long	\claimed - \stub\()_begin
	.long	\placed - \stub\()_begin
	.long	\kept - \stub\()_begin
	.long	\lent - \stub\()_begin
	.long	\returned - \stub\()_begin
	.long	\committed - \stub\()_begin
	.long	\released - \stub\()_begin
	.long	\closing - \stub\()_begin
	.long	\used - \stub\()_begin
	.long	\ended - \stub\()_begin
	.long	\undone - \stub\()_begin
	.long	\ready - \stub\()_begin
	.long	\asked - \stub\()_begin
	.popsection
	.endm

/* That of a call that makes an fd, of which nothing is counted. */
	.macro BODY_OF_NEW stub, number, done, released
	BODY	\stub, \number, \done, \done, \released, \released, \released, \released, \released, \released, \
		\released, \released, \released, \released, \released, \released, \released
	.endm

/* Which ring the records of this thread go to: r11 becomes the offset in FAST_HEADS of its line. Thread pointers lie some
 * pages apart. */
	.macro RING
	rdfsbase r11
	shr	r11, FAST_THREAD_BITS - FAST_HEAD_BITS
	and	r11d, dword ptr ds:[FAST_SPREAD]
	.endm

/* Where its record number rcx is: r11, from RING, becomes the offset from FAST_RING on. There is no third register for
 * the sum. So the ring's number is shifted to the bits right above those that shrd drops; shrd puts the low bits of rcx
 * on top; and rol brings them round to below the ring's number. */
	.macro PLACE
	shl	r11d, FAST_RING_BITS - FAST_HEAD_BITS
	shrd	r11, rcx, FAST_RING_BITS
	rol	r11, FAST_RING_BITS + FAST_RECORD_BITS
	.endm

/* The call, between two looks at the fd in edi, and its record. r11d: the state that the fd was seen to have. */
	.macro COUNTED stub, number
	/* From here on the tracer sees in the slot that a call is under way: what the fd named when it was entered
	 * stays known until that is taken back. */
	lock inc dword ptr [rcx + FAST_SLOTS + FAST_SLOT_UNDER_WAY]
.Lunder_way_\@:
	/* A race with the tracer, which may have forgotten the fd since it was looked at: it writes the state and then
	 * reads the count, this writes the count and then reads the state. One of the two sees the other. So do this
	 * and a thread that closes the fd, by its generation. */
	xor	r11d, dword ptr [rcx + FAST_SLOTS + FAST_SLOT_GENERATION]
	cmp	dword ptr [rcx + FAST_SLOTS + FAST_SLOT_STATE], r11d
	jne	\stub\()_back_out
	/* Room for a record is made sure of before the call, for behind it there is no way to wait: each thread that
	 * has passed here may write one more, and the limit leaves a place for every thread. */
	RING
	mov	rcx, qword ptr [r11 + FAST_HEADS]
	cmp	rcx, qword ptr [r11 + FAST_HEADS + FAST_LIMIT]
	jae	\stub\()_back_out
	/* The tracer has read the line that the record will go to, so it is in another processor's cache. Fetched now, it
	 * comes while the kernel works; else the atomic instructions below would have to wait for it. */
	PLACE
	prefetchw byte ptr [r11 + FAST_RING]
	syscall
.Ldone_\@:
	RING
	mov	ecx, 1
	lock xadd qword ptr [r11 + FAST_HEADS], rcx	/* rcx: the record's number */
.Lclaimed_\@:
	PLACE
.Lplaced_\@:
	mov	qword ptr [r11 + FAST_RING + 8], rax	/* the result */
.Lkept_\@:
	test	dword ptr ds:[FAST_FLAGS], FAST_TIMED
	jz	.Luntimed_\@
	mov	qword ptr [r11 + FAST_RING + 16], rdx	/* rdtsc overwrites it; kept for a moment */
.Llent_\@:
	rdtsc
	mov	dword ptr [r11 + FAST_RING + 24], eax	/* the time stamp counter */
	mov	dword ptr [r11 + FAST_RING + 28], edx
	mov	rdx, qword ptr [r11 + FAST_RING + 16]
.Lreturned_\@:
.Luntimed_\@:
	rdfsbase rax
	mov	qword ptr [r11 + FAST_RING + 16], rax	/* the thread, by its thread pointer */
	/* The fd, and its generation, which stays what it is while the call is under way. */
	mov	eax, edi
	shl	eax, FAST_SLOT_BITS
	mov	eax, dword ptr [rax + FAST_SLOTS + FAST_SLOT_GENERATION]
	shl	eax, 16 - FAST_STEP_BIT
	or	eax, edi
	mov	dword ptr [r11 + FAST_RING], eax
	mov	rax, qword ptr [r11 + FAST_RING + 8]
	/* The number of the call, and how often the ring has been round. The word is written last (x86 keeps the order
	 * of stores): when it bears the right round, the record is whole. */
	shr	rcx, FAST_RING_BITS
	shl	ecx, 16
	or	ecx, \number
	mov	dword ptr [r11 + FAST_RING + 4], ecx
.Lcommitted_\@:
	mov	ecx, edi
	shl	ecx, FAST_SLOT_BITS
	lock dec dword ptr [rcx + FAST_SLOTS + FAST_SLOT_UNDER_WAY]
.Lreleased_\@:
	jmp	\stub\()_tail
	BODY	\stub, \number, .Lunder_way_\@, .Ldone_\@, .Lclaimed_\@, .Lplaced_\@, .Lkept_\@, .Llent_\@, \
		.Lreturned_\@, .Lcommitted_\@, .Lreleased_\@, .Lreleased_\@, .Lreleased_\@, .Lreleased_\@, \
		.Lreleased_\@, .Lreleased_\@, .Lreleased_\@
	.endm

/* Is it this call, and may it be made without a stop? */
	.macro IF_CALL number, bit, twin, next
	cmp	eax, \number
	jne	\next
	test	dword ptr ds:[FAST_FLAGS], 1 << \bit
	jnz	\twin
	.endm

/* The state of the fd in `from` into r11d, its slot into rcx. A number that is no fd, or too high, stops. */
	.macro LOOK_UP from, twin
	cmp	\from, FAST_FDS
	jae	\twin
	mov	ecx, \from
	shl	ecx, FAST_SLOT_BITS
	mov	r11d, dword ptr [rcx + FAST_SLOTS + FAST_SLOT_STATE]
	xor	r11d, dword ptr [rcx + FAST_SLOTS + FAST_SLOT_GENERATION]
	.endm

/* A call that moves bytes on the fd in edi. no_address: a register that must be 0, since it would name a peer. flags:
 * the register with MSG_*. most: the highest state that may pass; a message (FAST_SOCKET) may name a peer in memory. */
	.macro TRANSFER stub, number, bit, most=FAST_DATAGRAM, no_address=, flags=
	IF_CALL	\number, \bit, \stub\()_twin, .Lnext_\@
	.ifnb \no_address
	test	\no_address, \no_address
	jnz	\stub\()_twin
	.endif
	.ifnb \flags
	test	\flags, MSG_PEEK | MSG_ERRQUEUE
	jnz	\stub\()_twin
	.endif
	LOOK_UP	edi, \stub\()_twin
	cmp	r11d, FAST_OTHER
	jb	\stub\()_twin
	je	\stub\()_plain
	cmp	r11d, \most
	ja	\stub\()_twin
	COUNTED	\stub, \number
.Lnext_\@:
	.endm

/* sendfile: from the fd in esi to the one in edi. A file that is sent was mostly opened a moment ago, and is unknown;
 * but from a socket to a socket the kernel sends nothing (EINVAL: the source must be seekable, fs/splice.c). */
	.macro SENDFILE stub, number, bit
	IF_CALL	\number, \bit, \stub\()_twin, .Lnext_\@
	LOOK_UP	esi, \stub\()_twin
	cmp	r11d, FAST_OTHER
	je	.Lfile_\@
	sub	r11d, FAST_SOCKET
	cmp	r11d, FAST_STOPS - FAST_SOCKET
	jbe	\stub\()_twin
	LOOK_UP	edi, \stub\()_twin
	cmp	r11d, FAST_SOCKET
	jb	\stub\()_twin
	jmp	.Ltarget_\@
.Lfile_\@:
	LOOK_UP	edi, \stub\()_twin
	cmp	r11d, FAST_OTHER
	jb	\stub\()_twin
	je	\stub\()_plain
.Ltarget_\@:
	cmp	r11d, FAST_DATAGRAM
	ja	\stub\()_twin
	COUNTED	\stub, \number
.Lnext_\@:
	.endm

/* The slot at rcx is about to be written. */
	.macro TOUCH
	mov	r11d, ecx
	shr	r11d, FAST_SLOT_BITS + FAST_TOUCHED_BITS
	bt	dword ptr ds:[FAST_TOUCHED], r11d
	jc	.Ltouched_\@
	lock bts dword ptr ds:[FAST_TOUCHED], r11d
.Ltouched_\@:
	.endm

/* close, dup2, dup3: the fd in `from` will be another one. Of a socket that was used the kernel's counters are read: by
 * ending.S if it ends here, else it stops. keeps: a register; if it is equal, dup2 does nothing. */
	.macro CLOSE stub, number, bit, from, keeps=, ends=
	IF_CALL	\number, \bit, \stub\()_twin, .Lnext_\@
	.ifnb \keeps
	cmp	\from, \keeps
	je	\stub\()_plain
	.endif
	cmp	\from, FAST_FDS
	jae	\stub\()_twin
	mov	ecx, \from
	shl	ecx, FAST_SLOT_BITS
	TOUCH
	/* From here on nothing is learnt of it: another thread's call may stop before the close happens, or after, and
	 * nobody could tell. If another one is about to close it, that is not this one's doing: it stops. */
	lock bts dword ptr [rcx + FAST_SLOTS + FAST_SLOT_GENERATION], FAST_STEP_BIT
.Ltried_\@:
	jc	\stub\()_twin
	mov	r11d, dword ptr [rcx + FAST_SLOTS + FAST_SLOT_GENERATION]
	xor	r11d, FAST_STEP | FAST_USED
	cmp	r11d, dword ptr [rcx + FAST_SLOTS + FAST_SLOT_LEARNT]
	je	.Lused_\@
	cmp	r11d, dword ptr [rcx + FAST_SLOTS + FAST_SLOT_BORN]
	je	.Lused_\@
	/* A thread that connects it in a stub keeps its generation until it is back. */
	cmp	dword ptr [rcx + FAST_SLOTS + FAST_SLOT_UNDER_WAY], 0
	.ifnb \ends
	jne	.Lundo_\@
	.else
	jne	.Lended_\@
	.endif
.Lgoes_\@:
	mov	ecx, \from
	shl	ecx, FAST_SLOT_BITS
	mov	dword ptr [rcx + FAST_SLOTS + FAST_SLOT_STATE], FAST_NOTHING
	syscall
.Ldone_\@:
	mov	ecx, \from
	shl	ecx, FAST_SLOT_BITS
	lock add dword ptr [rcx + FAST_SLOTS + FAST_SLOT_GENERATION], FAST_STEP
.Lreleased_\@:
	jmp	\stub\()_tail
.Lused_\@:
	.ifnb \ends
	test	dword ptr ds:[FAST_FLAGS], FAST_TIMED | FAST_NO_ENDINGS
	jnz	.Lundo_\@
	/* Its state: a call on it must not have had to stop. */
	xor	r11d, FAST_USED
	xor	r11d, dword ptr [rcx + FAST_SLOTS + FAST_SLOT_STATE]
	sub	r11d, FAST_SOCKET
	cmp	r11d, FAST_DATAGRAM - FAST_SOCKET
	ja	.Lundo_\@
	/* Nor is one under way: who begins one now sees the generation and backs out. */
	cmp	dword ptr [rcx + FAST_SLOTS + FAST_SLOT_UNDER_WAY], 0
	jne	.Lundo_\@
	lea	r11, [rip + .Lended_\@]
	jmp	qword ptr ds:[FAST_ENDING]
.Lended_\@:
	jnc	.Lgoes_\@
.Lundo_\@:
	mov	ecx, \from
	shl	ecx, FAST_SLOT_BITS
	.else
.Lended_\@:
	.endif
	lock btr dword ptr [rcx + FAST_SLOTS + FAST_SLOT_GENERATION], FAST_STEP_BIT
.Lundone_\@:
	jmp	\stub\()_twin
	BODY	\stub, \number, .Ltried_\@, .Ldone_\@, .Lreleased_\@, .Lreleased_\@, .Lreleased_\@, .Lreleased_\@, \
		.Lreleased_\@, .Lreleased_\@, .Lreleased_\@, .Ltried_\@, .Lused_\@, .Lended_\@, .Lundone_\@, \
		.Lreleased_\@, .Lreleased_\@
.Lnext_\@:
	.endm

/* Somebody may want to see them all. */
	.macro IF_UNWATCHED stub
	bt	dword ptr ds:[FAST_WATCHED], eax
	jc	\stub\()_twin
	.endm

/* The new fd in eax, whose slot is at rcx, gets a generation of its own: r11d. */
	.macro ANOTHER_GENERATION
	TOUCH
	mov	r11d, dword ptr [rcx + FAST_SLOTS + FAST_SLOT_GENERATION]
	test	r11d, FAST_STEP
	jz	.Lstands_\@
	/* The thread that has closed the last one has not come back yet. What is said here holds when it has. */
	add	r11d, FAST_STEP
	jmp	.Lmoved_\@
.Lstands_\@:
	add	r11d, 2 * FAST_STEP
	mov	dword ptr [rcx + FAST_SLOTS + FAST_SLOT_GENERATION], r11d
.Lmoved_\@:
	.endm

/* accept, accept4: what they make is a socket, and none whose messages name peers. So the tracer need not find that out
 * before it is used: it will when it reads what was counted. Its generation is another one than what the fd named
 * before: but for a call on that which is still under way, and would take the new one for its own. */
	.macro ACCEPT stub, number
	cmp	eax, \number
	jne	.Lnext_\@
	IF_UNWATCHED \stub
	test	dword ptr ds:[FAST_FLAGS], FAST_TIMED | FAST_NO_BIRTHS
	jnz	\stub\()_plain
	syscall
.Ldone_\@:
	cmp	eax, FAST_FDS
	jae	\stub\()_tail
	mov	ecx, eax
	shl	ecx, FAST_SLOT_BITS
	cmp	dword ptr [rcx + FAST_SLOTS + FAST_SLOT_UNDER_WAY], 0
	jne	\stub\()_tail
	ANOTHER_GENERATION
	or	r11d, FAST_USED
	mov	dword ptr [rcx + FAST_SLOTS + FAST_SLOT_BORN], r11d
	xor	r11d, FAST_USED ^ FAST_SOCKET
	mov	dword ptr [rcx + FAST_SLOTS + FAST_SLOT_STATE], r11d
.Lreleased_\@:
	jmp	\stub\()_tail
	BODY_OF_NEW	\stub, \number, .Ldone_\@, .Lreleased_\@
.Lnext_\@:
	.endm

/* socket: one of TCP that was never used can be connected without a stop. */
	.macro MAKING stub, number
	cmp	eax, \number
	jne	.Lnext_\@
	IF_UNWATCHED \stub
	test	dword ptr ds:[FAST_FLAGS], FAST_TIMED | FAST_NO_BIRTHS
	jnz	\stub\()_plain
	cmp	edi, AF_INET
	je	.Linternet_\@
	cmp	edi, AF_INET6
	jne	\stub\()_plain
.Linternet_\@:
	mov	ecx, esi
	and	ecx, ~(SOCK_NONBLOCK | SOCK_CLOEXEC)
	cmp	ecx, SOCK_STREAM
	jne	\stub\()_plain
	test	edx, edx
	jz	.Ltcp_\@
	cmp	edx, IPPROTO_TCP
	jne	\stub\()_plain
.Ltcp_\@:
	syscall
.Ldone_\@:
	cmp	eax, FAST_FDS
	jae	\stub\()_tail
	mov	ecx, eax
	shl	ecx, FAST_SLOT_BITS
	cmp	dword ptr [rcx + FAST_SLOTS + FAST_SLOT_UNDER_WAY], 0
	jne	\stub\()_tail
	ANOTHER_GENERATION
	xor	r11d, FAST_MADE
	mov	dword ptr [rcx + FAST_SLOTS + FAST_SLOT_STATE], r11d
.Lreleased_\@:
	jmp	\stub\()_tail
	BODY_OF_NEW	\stub, \number, .Ldone_\@, .Lreleased_\@
.Lnext_\@:
	.endm

/* connect, of a socket that MAKING has made. The call stands here like any other; attempt.S writes before it what it is
 * about, and behind it how it has ended. While it is under way nobody closes the fd in a stub. */
	.macro CONNECTING stub, number
	cmp	eax, \number
	jne	.Lnext_\@
	IF_UNWATCHED \stub
	test	dword ptr ds:[FAST_FLAGS], FAST_TIMED | FAST_NO_BIRTHS
	jnz	\stub\()_twin
	LOOK_UP	edi, \stub\()_twin
	cmp	r11d, FAST_MADE
	jne	\stub\()_twin
	lock inc dword ptr [rcx + FAST_SLOTS + FAST_SLOT_UNDER_WAY]
.Lunder_way_\@:
	/* As in COUNTED: has somebody closed it since? */
	xor	r11d, dword ptr [rcx + FAST_SLOTS + FAST_SLOT_GENERATION]
	cmp	dword ptr [rcx + FAST_SLOTS + FAST_SLOT_STATE], r11d
	jne	\stub\()_back_out
	lea	r11, [rip + .Lready_\@]
	jmp	qword ptr ds:[FAST_ATTEMPT]
.Lready_\@:
	jc	\stub\()_back_out
	syscall
.Ldone_\@:
	lea	r11, [rip + .Lasked_\@]
	jmp	qword ptr ds:[FAST_ATTEMPT + 8]
.Lasked_\@:
	jc	.Lreleased_\@
	mov	ecx, edi
	shl	ecx, FAST_SLOT_BITS
	lock dec dword ptr [rcx + FAST_SLOTS + FAST_SLOT_UNDER_WAY]
.Lreleased_\@:
	jmp	\stub\()_tail
	BODY	\stub, \number, .Lunder_way_\@, .Ldone_\@, .Lreleased_\@, .Lreleased_\@, .Lreleased_\@, \
		.Lreleased_\@, .Lreleased_\@, .Lreleased_\@, .Lreleased_\@, .Lreleased_\@, .Lreleased_\@, \
		.Lreleased_\@, .Lreleased_\@, .Lready_\@, .Lasked_\@
.Lnext_\@:
	.endm

	.macro PASSING stub, number
	cmp	eax, \number
	jne	.Lnext_\@
	IF_UNWATCHED \stub
	jmp	\stub\()_plain
.Lnext_\@:
	.endm

/* So do calls that could touch the memory of the fast path (collide.c). This one does if what rdi and rsi say does. */
	.macro IF_FAR stub
	cmp	rdi, FAST_END
	jae	\stub\()_plain
	lea	rcx, [rdi + rsi]
	cmp	rcx, FAST_DATA
	jbe	\stub\()_plain
	jmp	\stub\()_twin
	.endm

/* And where the tracer has to know all code, calls that could change it (changes.c). This one does if rsi bytes at rdi
 * are, in part, code with jumps to stubs. There are few ranges of it. */
	.macro IF_UNPATCHED stub
	xor	ecx, ecx
.Lrange_\@:
	mov	r11, qword ptr [rcx + FAST_PATCHED + 8]
	test	r11, r11
	jz	.Lunpatched_\@
	cmp	rdi, r11
	jae	.Lelsewhere_\@
	lea	r11, [rdi + rsi]
	cmp	r11, qword ptr [rcx + FAST_PATCHED]
	ja	\stub\()_twin
.Lelsewhere_\@:
	add	ecx, 16
	jmp	.Lrange_\@
.Lunpatched_\@:
	.endm

/* mmap and mprotect: what makes code of memory stops, and so does what lets jumps be written over. */
	.macro PROTECTING stub, number
	cmp	eax, \number
	jne	.Lnext_\@
	IF_UNWATCHED \stub
	test	edx, PROT_EXEC
	jnz	\stub\()_twin
	test	edx, PROT_WRITE
	jz	.Lkept_\@
	IF_UNPATCHED \stub
.Lkept_\@:
	IF_FAR	\stub
.Lnext_\@:
	.endm

/* madvise: what throws pages away, which come back from the file as they are there. */
	.macro ADVISING stub, number
	cmp	eax, \number
	jne	.Lnext_\@
	IF_UNWATCHED \stub
	cmp	edx, MADV_DONTNEED
	je	.Ldrops_\@
	cmp	edx, MADV_DONTNEED_LOCKED
	jne	.Lkept_\@
.Ldrops_\@:
	IF_UNPATCHED \stub
.Lkept_\@:
	IF_FAR	\stub
.Lnext_\@:
	.endm

	.macro MAPPING stub, number
	cmp	eax, \number
	jne	.Lnext_\@
	IF_UNWATCHED \stub
	test	edx, PROT_EXEC
	jnz	\stub\()_twin
	test	r10d, MAP_UNUSUAL
	jnz	\stub\()_twin
	/* Without an address its length tells: there is one in 2 GiB that the kernel must not choose. */
	test	rdi, rdi
	jz	.Lany_\@
	cmp	rdi, FAST_END
	jb	\stub\()_twin
	jmp	\stub\()_plain
.Lany_\@:
	IF_FAR	\stub
.Lnext_\@:
	.endm

	.macro RANGE stub, number
	cmp	eax, \number
	jne	.Lnext_\@
	IF_UNWATCHED \stub
	IF_FAR	\stub
.Lnext_\@:
	.endm

	.macro REMAPPING stub, number
	cmp	eax, \number
	jne	.Lnext_\@
	IF_UNWATCHED \stub
	test	r10d, MREMAP_FIXED
	jnz	\stub\()_twin
	IF_UNPATCHED \stub
	cmp	rdi, FAST_END
	jb	\stub\()_twin
	jmp	\stub\()_plain
.Lnext_\@:
	.endm

	.macro BREAKING stub, number
	cmp	eax, \number
	jne	.Lnext_\@
	IF_UNWATCHED \stub
	cmp	rdi, FAST_DATA - 0x2000
	jb	\stub\()_plain
	mov	ecx, edi
	cmp	rcx, rdi	/* below 4 GiB? */
	je	\stub\()_twin
	jmp	\stub\()_plain
.Lnext_\@:
	.endm

/* open: of a new fd nothing is known. A file is no socket, so its calls need not stop. Not where another thread may have
 * closed the new fd before it was noted: its number may be a socket's by then (FAST_UNSAID). A signal handler may do the
 * same, so none begins with its thread in the middle of this (signalled.c). */
	.macro OPENING stub, number
	cmp	eax, \number
	jne	.Lnext_\@
	IF_UNWATCHED \stub
	syscall
.Ldone_\@:
	test	dword ptr ds:[FAST_FLAGS], FAST_UNSAID
	jnz	\stub\()_tail
	cmp	rax, FAST_FDS
	jae	\stub\()_tail
	mov	ecx, eax
	shl	ecx, FAST_SLOT_BITS
	TOUCH
	mov	r11d, dword ptr [rcx + FAST_SLOTS + FAST_SLOT_GENERATION]
	test	r11d, FAST_STEP
	jnz	\stub\()_tail
	/* Somebody has said something of it? */
	xor	r11d, dword ptr [rcx + FAST_SLOTS + FAST_SLOT_STATE]
	dec	r11d
	cmp	r11d, FAST_STOPS - FAST_OTHER
	jbe	\stub\()_tail
	mov	r11d, dword ptr [rcx + FAST_SLOTS + FAST_SLOT_GENERATION]
	xor	r11d, FAST_OTHER
	mov	dword ptr [rcx + FAST_SLOTS + FAST_SLOT_STATE], r11d
.Lreleased_\@:
	jmp	\stub\()_tail
	BODY_OF_NEW	\stub, \number, .Ldone_\@, .Lreleased_\@
.Lnext_\@:
	.endm

/* A stub for a site that makes one call: most wrappers of C libraries load the number right before the instruction. */
#define STUB_OF(bit, name, call, ...) STUB_BEGIN name; call name, __NR_##name, bit, ##__VA_ARGS__; STUB_END name;
#define STUB_OF_OTHER(name, call) STUB_BEGIN name; call name, __NR_##name; STUB_END name;

	HOT_TRANSFERS(STUB_OF)
	HOT_CLOSES(STUB_OF)
	HOT_OPENS(STUB_OF_OTHER)
	HOT_BIRTHS(STUB_OF_OTHER)
	HOT_CONNECTS(STUB_OF_OTHER)
	HOT_PAIRS(STUB_OF_OTHER)
	HOT_MAPPINGS(STUB_OF_OTHER)

/* And one for a site that makes any: syscall(2), Go. */
#define IN_ANY(bit, name, call, ...) call any, __NR_##name, bit, ##__VA_ARGS__;
#define OTHER_IN_ANY(name, call) call any, __NR_##name;

/* Of a site that makes any call most are none of the many that stubs know. */
	.macro ONLY_KNOWN stub
	cmp	eax, FAST_NUMBERS
	jae	\stub\()_plain
	mov	ecx, eax
	shr	ecx, 5
	mov	ecx, dword ptr [rcx * 4 + FAST_KNOWN]
	bt	ecx, eax
	jnc	\stub\()_plain
	.endm

	STUB_BEGIN any
	ONLY_KNOWN any
	HOT_TRANSFERS(IN_ANY)
	HOT_CLOSES(IN_ANY)
	HOT_OPENS(OTHER_IN_ANY)
	HOT_BIRTHS(OTHER_IN_ANY)
	HOT_CONNECTS(OTHER_IN_ANY)
	HOT_PAIRS(OTHER_IN_ANY)
	HOT_MAPPINGS(OTHER_IN_ANY)
	STUB_END any

/* A site that makes one other call, which the tracer wants to see. */
	STUB_BEGIN none
	STUB_END none

/* struct stub stub_table[] of stub.h; number -1: any, -2: one that is not counted */
	.macro ROW stub, number
	.quad	\stub\()_begin, \stub\()_bodies, \stub\()_bodies_end
	.long	\number
	.long	\stub\()_end - \stub\()_begin
	.long	\stub\()_plain_done - \stub\()_begin
	.long	\stub\()_back_out - \stub\()_begin
	.long	\stub\()_twin - \stub\()_begin
	.long	\stub\()_tail - \stub\()_begin
	.long	\stub\()_to_site - \stub\()_begin
	.long	\stub\()_to_twin - \stub\()_begin
	.endm

#define ROW_OF(bit, name, ...) ROW name, __NR_##name;
#define ROW_OF_OTHER(name, call) ROW name, __NR_##name;

	.section .data.rel.ro, "aw"
	.balign 8
	.globl	stub_table
	.hidden	stub_table
stub_table:
	HOT_TRANSFERS(ROW_OF)
	HOT_CLOSES(ROW_OF)
	HOT_OPENS(ROW_OF_OTHER)
	HOT_BIRTHS(ROW_OF_OTHER)
	HOT_CONNECTS(ROW_OF_OTHER)
	HOT_PAIRS(ROW_OF_OTHER)
	HOT_MAPPINGS(ROW_OF_OTHER)
	ROW	any, -1
	ROW	none, -2
	.globl	stub_table_end
	.hidden	stub_table_end
stub_table_end:
	.section .note.GNU-stack, "", @progbits
