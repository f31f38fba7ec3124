/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PT_FAST_INSTRUCTION_H
#define PT_FAST_INSTRUCTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Opcode maps, by the numbers that VEX, EVEX and XOP give them. */
enum {
	MAP_ONE_BYTE = 0,
	MAP_0F = 1,
	MAP_0F38 = 2,
	MAP_0F3A = 3,
	MAP_5 = 5, /* 5 and 6: AVX512-FP16 */
	MAP_6 = 6,
	MAP_XOP_8 = 8,
	MAP_XOP_9 = 9,
	MAP_XOP_A = 10
};

#define REX_B 1
#define REX_X 2
#define REX_R 4
#define REX_W 8

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

/* It, taken apart. */
struct parts {
	const uint8_t *at; /* the next byte that is read */
	const uint8_t *end;
	const uint8_t *immediate;
	uint8_t immediate_size;
	uint8_t map;
	uint8_t opcode;
	uint8_t modrm;
	uint8_t sib;
	uint8_t rex;
	uint8_t repeat;	     /* F2 or F3, or 0 */
	bool operand_prefix; /* 66 */
	bool address_prefix; /* 67 */
	bool lock;
	bool vector; /* VEX, EVEX or XOP */
	bool rip_relative;
};

static inline unsigned int modrm_mod(const struct parts *in)
{
	return in->modrm >> 6;
}

/* Without what REX adds: where it tells the operation. */
static inline unsigned int modrm_reg(const struct parts *in)
{
	return in->modrm >> 3 & 7;
}

/* A register's number, with the bit of REX (REX_B, REX_R, REX_X) that extends it. */
static inline unsigned int full_number(const struct parts *in, unsigned int number, unsigned int extension)
{
	return (number & 7) | (in->rex & extension ? 8u : 0u);
}

/* A bit for the register. Of 8 bits, 4 may be ah, and so on: opcodes of 8 bits are even, but setcc's and mov's of an
 * immediate. More than those are taken for one, and then it may be either register. */
static inline uint16_t register_bits(const struct parts *in, unsigned int number, unsigned int extension)
{
	unsigned int full = full_number(in, number, extension), bits = 1u << full;

	if (full >= 4 && full < 8 && (in->map == MAP_0F || !(in->opcode & 1) || (in->opcode & 0xf8) == 0xb0))
		bits |= 1u << (full - 4);
	return (uint16_t)bits;
}

/* REX.W goes before 66. */
static inline bool operands_are_16_bit(const struct parts *in)
{
	return in->operand_prefix && !(in->rex & REX_W);
}

/* What follows the opcode, as a letter: see forms.c. Upper case: ModRM does; 'x': it is no instruction. */
char form_of(const struct parts *in);

/* Bytes of the immediate, or of the displacement of a jump. ModRM is read already. */
uint8_t immediate_size(const struct parts *in, char form);

/* ModRM tells, or forbids, an operation of some opcodes. Checked are the ones that stray bytes hit. */
bool operation_exists(const struct parts *in);

/* Fills in all but the length of what was taken apart; the second one needs what the first one told. */
void find_effects(const struct parts *in, struct instruction *out);
void find_operands(const struct parts *in, struct instruction *out);

#endif
