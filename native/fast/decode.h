/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PT_FAST_DECODE_H
#define PT_FAST_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One x86 instruction of 64-bit mode: what matters to whoever replaces system calls. */
struct instruction {
	uint8_t length;	   /* bytes */
	bool branch;	   /* a relative jump or call (or xbegin): its target is displacement after its end */
	bool ends;	   /* control does not go on to the next instruction: jmp, ret, ud2, hlt, int3 */
	bool system_call;  /* syscall */
	bool foreign_call; /* int 0x80 or sysenter: a 32-bit call */
	bool points;	   /* lea of an address displacement after its end */
	bool sets_number;  /* mov eax, imm32, xor eax, eax and their like: eax is number after it */
	bool keeps_number; /* surely leaves rax as it is if control goes on to the next instruction */
	bool sets_eax;	   /* sets_number, or a mov from a register or memory to eax or rax */
	bool constant;	   /* as sets_number, but of register target */
	bool copies;	   /* mov of source to target, both registers */
	bool relocatable;  /* surely does the same at any other address, and control goes on. What it does to registers
			    * and memory is told below */
	bool loads;	   /* relocatable alone: memory */
	bool stores;
	bool sets_flags;  /* all status flags, whatever they were */
	bool reads_flags; /* maybe */
	uint8_t target;
	uint8_t source;
	uint16_t reads;	 /* relocatable alone: general registers, a bit for each */
	uint16_t writes; /* what it may change of them */
	uint32_t number;
	int32_t displacement;
};

/* The length, or -EILSEQ: no instruction, or cut off. Not all that the processor would refuse is refused: an opcode
 * that is not taken yet has a length, too, where its map tells what it would be. */
int decode(const uint8_t *code, size_t size, struct instruction *out);
/* The same without what is told of relocatable ones, which takes as long again. */
int decode_flow(const uint8_t *code, size_t size, struct instruction *out);

#endif
