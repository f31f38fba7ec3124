/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What an instruction does to control and to registers, of which rax holds the number of a system call. Of them only
 * what is sure is filled in: whatever is not on the list may change them all.
 */
#include "fast/scan/instruction.h"

/* What an opcode changes, 16 opcodes a line.
 *
 *   k  no general register (or rsp alone)     g  the register of ModRM.reg    o  the register that the opcode names
 *   m  what ModRM.rm says, register or memory
 *   a  80, 81, 83: as m, but for cmp          i  C6, C7: as m, of mov         f  F6, F7 and FE, FF: see below
 *   -  rax, or more than one register, or not worth to be told
 */
static const char one_byte[] = "mmgg----mmgg----"  /* 00 */
			       "mmgg----mmgg----"  /* 10 */
			       "mmgg----mmgg----"  /* 20 */
			       "mmgg----kkkkkk--"  /* 30 */
			       "----------------"  /* 40: REX */
			       "kkkkkkkkoooooooo"  /* 50 */
			       "---g----kgkg----"  /* 60 */
			       "kkkkkkkkkkkkkkkk"  /* 70 */
			       "aa-akk--mmgg-g--"  /* 80 */
			       "----------------"  /* 90 */
			       "--------kk------"  /* A0 */
			       "oooooooooooooooo"  /* B0 */
			       "mm----ii--------"  /* C0 */
			       "mmmm------------"  /* D0 */
			       "----------------"  /* E0 */
			       "------ffkk--kkff"; /* F0 */

static const char two_byte[] = "-------------k--"  /* 0F 00 */
			       "kkkkkkkkk------k"  /* 10 */
			       "--------kk----kk"  /* 20 */
			       "----------------"  /* 30 */
			       "gggggggggggggggg"  /* 40 */
			       "-kkkkkkkkkkkkkkk"  /* 50 */
			       "kkkkkkkkkkkkkkkk"  /* 60 */
			       "k---kkk-------mk"  /* 70 */
			       "kkkkkkkkkkkkkkkk"  /* 80 */
			       "mmmmmmmmmmmmmmmm"  /* 90 */
			       "---k-----------g"  /* A0 */
			       "------gg------gg"  /* B0 */
			       "--k---k---------"  /* C0 */
			       "------k--------k"  /* D0 */
			       "---------------k"  /* E0 */
			       "----------------"; /* F0 */

/* F6 and F7: test, not and neg, for mul and div change rax. FE and FF: inc, dec and push; call and jmp are more. */
static char change_of_group(const struct parts *in)
{
	unsigned int operation = modrm_reg(in);

	if (in->opcode < 0xf8)
		return operation < 2 ? 'k' : operation < 4 ? 'm' : '-';
	return operation < 2 ? 'm' : in->opcode == 0xff && operation == 6 ? 'k' : '-';
}

static char change_of(const struct parts *in)
{
	char change;

	if (in->vector || in->map > MAP_0F)
		return '-';
	if (in->map == MAP_0F) {
		/* endbr64 is one of many in its place, and rdsspq another. */
		return in->opcode == 0x1e && in->modrm == 0xfa ? 'k' : two_byte[in->opcode];
	}
	if (in->opcode == 0x90) /* nop and pause; with REX.B it is xchg r8, rax */
		return in->rex & REX_B ? '-' : 'k';
	change = one_byte[in->opcode];
	switch (change) {
	case 'a':
		return modrm_reg(in) == 7 ? 'k' : 'm';
	case 'i':
		return modrm_reg(in) == 0 ? 'm' : '-';
	case 'f':
		return change_of_group(in);
	default:
		return change;
	}
}

static uint16_t registers_written(const struct parts *in)
{
	if (in->map == MAP_0F && !in->vector && in->opcode == 0x05) /* syscall: rax, rcx, r11 */
		return 1 << 0 | 1 << 1 | 1 << 11;
	switch (change_of(in)) {
	case 'k':
		return 0;
	case 'g':
		return register_bits(in, modrm_reg(in), REX_R);
	case 'm':
		return modrm_mod(in) != 3 ? 0 : register_bits(in, in->modrm, REX_B);
	case 'o':
		return register_bits(in, in->opcode, REX_B);
	default:
		return UINT16_MAX;
	}
}

static int32_t signed_of(const uint8_t *bytes, unsigned int size)
{
	uint32_t value = 0;

	for (unsigned int i = 0; i < size && i < sizeof(value); i++)
		value |= (uint32_t)bytes[i] << 8 * i;
	if (size == 1)
		return (int8_t)value;
	if (size == 2)
		return (int16_t)value;
	return (int32_t)value;
}

static int32_t read_signed(const struct parts *in)
{
	return signed_of(in->immediate, in->immediate_size);
}

/* The register that becomes a constant, or -1. */
static int constant_register(const struct parts *in)
{
	if (in->map != MAP_ONE_BYTE || operands_are_16_bit(in))
		return -1;
	if (in->opcode >= 0xb8 && in->opcode <= 0xbf)
		return in->immediate_size == 4 ? (int)full_number(in, in->opcode, REX_B) : -1;
	if (modrm_mod(in) != 3)
		return -1;
	switch (in->opcode) {
	case 0xc7:
		return modrm_reg(in) == 0 ? (int)full_number(in, in->modrm, REX_B) : -1;
	case 0x31: /* xor with itself, both ways: no immediate, so the number is 0 */
	case 0x33:
		return full_number(in, modrm_reg(in), REX_R) == full_number(in, in->modrm, REX_B)
			       ? (int)full_number(in, in->modrm, REX_B)
			       : -1;
	default:
		return -1;
	}
}

static void find_moves(const struct parts *in, struct instruction *out)
{
	unsigned int reg = full_number(in, modrm_reg(in), REX_R), rm = full_number(in, in->modrm, REX_B);
	bool direct = modrm_mod(in) == 3;
	int constant = constant_register(in);

	out->constant = constant >= 0;
	if (out->constant) {
		out->target = (uint8_t)constant;
		out->number = (uint32_t)read_signed(in);
	}
	out->sets_number = out->sets_eax = constant == 0;
	if (in->map != MAP_ONE_BYTE || in->operand_prefix)
		return;
	if (direct && (in->opcode == 0x89 || in->opcode == 0x8b)) {
		out->copies = true;
		out->target = (uint8_t)(in->opcode == 0x89 ? rm : reg);
		out->source = (uint8_t)(in->opcode == 0x89 ? reg : rm);
		out->sets_eax = out->target == 0;
	} else if (in->opcode == 0x8b || in->opcode == 0x63) {
		out->sets_eax = reg == 0;
	}
}

static bool ends(const struct parts *in)
{
	if (in->map == MAP_0F && !in->vector) /* sysret, ud2, sysexit, ud1, ud0 */
		return in->opcode == 0x07 || in->opcode == 0x0b || in->opcode == 0x35 || in->opcode == 0xb9 ||
		       in->opcode == 0xff;
	if (in->map != MAP_ONE_BYTE)
		return false;
	switch (in->opcode) {
	case 0xc2: /* ret */
	case 0xc3:
	case 0xca:
	case 0xcb:
	case 0xcc: /* int3 */
	case 0xcf: /* iret */
	case 0xe9: /* jmp */
	case 0xeb:
	case 0xf4: /* hlt */
		return true;
	case 0xff: /* jmp */
		return modrm_reg(in) == 4 || modrm_reg(in) == 5;
	default:
		return false;
	}
}

void find_effects(const struct parts *in, struct instruction *out)
{
	bool legacy_0f = in->map == MAP_0F && !in->vector;
	bool one = in->map == MAP_ONE_BYTE;

	out->branch |= one && in->opcode == 0xc7 && in->modrm == 0xf8; /* xbegin: to where an abort goes */
	if (out->branch)
		out->displacement = read_signed(in);
	out->ends = ends(in);
	out->system_call = legacy_0f && in->opcode == 0x05;
	out->foreign_call = (legacy_0f && in->opcode == 0x34) || (one && in->opcode == 0xcd && *in->immediate == 0x80);
	out->writes = registers_written(in);
	out->keeps_number = !(out->writes & 1);
	find_moves(in, out);
	out->points = one && in->opcode == 0x8d && in->rip_relative;
	if (out->points)
		out->displacement = signed_of(in->immediate - 4, 4);
}
