/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Most calls that map memory name an address far from the fast path's, or none: they pass. This is not exact; what is
 * done at the stop is (collide.c).
 */
#include "fast/touching.h"

#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "fast/image/kinds.h"
#include "fast/image/layout.h"

#define LOW(argument) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[argument]))
#define HIGH(argument) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[argument]) + 4)
#define IF(operation, value, yes, no) BPF_JUMP(BPF_JMP | BPF_##operation | BPF_K, value, yes, no)

/* Where a jump leads: to the next instruction, or to one of the two behind the last. */
enum { NEXT = 0, PASS = 254, STOP = 255 };

#define NEAR (FAST_DATA - 0x2000)
#define MMAP_FLAGS (0x40 | MAP_GROWSDOWN | MAP_HUGETLB) /* 0x40: MAP_32BIT, which x86 alone has */
#define REMAP_FIXED 2					/* MREMAP_FIXED */
#define MAP_VDSO_FIRST 0x2001
#define MAP_VDSO_LAST 0x2003

/* Argument 0 is an address, argument 1 a length. */
static const struct sock_filter range[] = {
	HIGH(0),
	IF(JEQ, 0, NEXT, PASS),
	LOW(0),
	IF(JGE, FAST_END, PASS, NEXT),
	BPF_STMT(BPF_MISC | BPF_TAX, 0),
	HIGH(1),
	IF(JEQ, 0, NEXT, STOP),
	LOW(1),
	IF(JGE, FAST_END, STOP, NEXT),
	BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0), /* of two that are below 2 GiB */
	IF(JGT, NEAR, STOP, PASS),
};

/* How long it will be in truth is found out at the stop. Without an address, and without MAP_FIXED, the kernel chooses;
 * then all that can be compared is the length. */
static const struct sock_filter map[] = {
	LOW(3),
	IF(JSET, MMAP_FLAGS, STOP, NEXT),
	HIGH(0),
	IF(JEQ, 0, NEXT, PASS),
	LOW(0),
	IF(JGE, FAST_END, PASS, NEXT),
	IF(JEQ, 0, NEXT, STOP),
	HIGH(1),
	IF(JEQ, 0, NEXT, STOP),
	LOW(1),
	IF(JGT, NEAR, STOP, PASS),
};

static const struct sock_filter remap[] = {
	HIGH(0), IF(JEQ, 0, NEXT, 2),
	LOW(0),	 IF(JGE, FAST_END, NEXT, STOP),
	LOW(3),	 IF(JSET, REMAP_FIXED, NEXT, PASS),
	HIGH(4), IF(JEQ, 0, NEXT, PASS),
	LOW(4),	 IF(JGE, FAST_END, PASS, STOP),
};

static const struct sock_filter heap[] = {
	HIGH(0),
	IF(JEQ, 0, NEXT, PASS),
	LOW(0),
	IF(JGT, NEAR, STOP, PASS),
};

static const struct sock_filter segment[] = {
	HIGH(1), IF(JEQ, 0, NEXT, PASS), LOW(1), IF(JEQ, 0, PASS, NEXT), IF(JGE, FAST_END, PASS, STOP),
};

static const struct sock_filter vdso[] = {
	LOW(0),
	IF(JGE, MAP_VDSO_FIRST, NEXT, PASS),
	IF(JGT, MAP_VDSO_LAST, PASS, STOP),
};

static const struct sock_filter limit[] = {
	LOW(0),
	IF(JEQ, RLIMIT_AS, STOP, NEXT),
	IF(JEQ, RLIMIT_DATA, STOP, PASS),
};

static const struct sock_filter limit_of[] = {
	LOW(1),
	IF(JEQ, RLIMIT_AS, STOP, NEXT),
	IF(JEQ, RLIMIT_DATA, STOP, PASS),
};

static const struct sock_filter always[] = {
	BPF_STMT(BPF_JMP | BPF_JA, 1),
};

struct piece {
	const struct sock_filter *begin;
	unsigned int length;
};

#define PIECE(array) ((struct piece){array, sizeof(array) / sizeof((array)[0])})

/* By the 32-bit ABI the kernel may choose these addresses by itself. */
static struct piece piece_of(enum abi abi, enum fast_touches touches)
{
	const bool native = abi == ABI_NATIVE;

	switch (touches) {
	case FAST_TOUCHES_RANGE:
		return PIECE(range);
	case FAST_TOUCHES_MMAP:
		return native ? PIECE(map) : PIECE(always);
	case FAST_TOUCHES_MREMAP:
		return native ? PIECE(remap) : PIECE(always);
	case FAST_TOUCHES_BREAK:
		return PIECE(heap);
	case FAST_TOUCHES_SEGMENT:
		return native ? PIECE(segment) : PIECE(always);
	case FAST_TOUCHES_VDSO:
		return PIECE(vdso);
	case FAST_TOUCHES_LIMIT:
		return PIECE(limit);
	case FAST_TOUCHES_LIMIT_OF:
		return PIECE(limit_of);
	default:
		return PIECE(always);
	}
}

static uint8_t resolve(uint8_t jump, unsigned int at, unsigned int length)
{
	return (uint8_t)(jump == PASS ? length - at - 1 : jump == STOP ? length - at : jump);
}

unsigned int touching_filter(struct sock_filter *program, enum abi abi, uint64_t number, uint32_t pass, uint32_t stop)
{
	const enum fast_touches touches = kinds_touching(abi, number);
	const struct piece piece = piece_of(abi, touches);

	if (!touches)
		return 0;
	for (unsigned int i = 0; i < piece.length; i++) {
		program[i] = piece.begin[i];
		if (BPF_CLASS(program[i].code) != BPF_JMP || BPF_OP(program[i].code) == BPF_JA)
			continue;
		program[i].jt = resolve(program[i].jt, i, piece.length);
		program[i].jf = resolve(program[i].jf, i, piece.length);
	}
	program[piece.length] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, pass);
	program[piece.length + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, stop);
	return piece.length + 2;
}
