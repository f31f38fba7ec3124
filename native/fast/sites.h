/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PT_FAST_SITES_H
#define PT_FAST_SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The system calls in the code of one executable segment, and whether their surroundings can be replaced. */

/* What stands around a syscall instruction; what of it belongs to the replaced range is in brackets. */
enum pattern {
	PATTERN_NONE,
	PATTERN_COMPARE, /* [syscall; cmp rax, -4096 or -4095], which sets every flag */
	PATTERN_SPILL,	 /* [mov [rsp+8], r11; syscall]; ret */
	PATTERN_RELOAD,	 /* [mov rax, [rsp+16]; syscall]; pop rbx; ret */
	PATTERN_MOVE	 /* [mov r9, [rsp+8]; mov rdx, rcx; syscall]; ret */
};

/* The bytes of the replaced range before the syscall instruction and after its end. */
struct pattern_shape {
	uint8_t before;
	uint8_t after;
};

struct site {
	uint32_t offset;   /* of 0F 05, CD 80 or 0F 34 in the segment: the call returns to 2 bytes after it */
	uint8_t pattern;   /* enum pattern: whole instructions, and nothing jumps to one that is not the first */
	bool number_known; /* each way to it sets eax to number */
	bool foreign;	   /* int 0x80 or sysenter */
	uint32_t number;
};

struct pattern_shape pattern_shape(enum pattern pattern);
/* Are these the bytes of the replaced range of that pattern? */
bool pattern_is(enum pattern pattern, const uint8_t *bytes, size_t size);

/* All system calls in the code, in order: 0 (the caller frees *sites), -ENOMEM, or -EFBIG from 4 GiB on. Only relative
 * jumps and calls of this segment are seen: what a jump table or a pointer leads to is not. */
int sites_find(const uint8_t *code, size_t size, struct site **sites, unsigned int *count);

#endif
