/* SPDX-License-Identifier: GPL-2.0-only
 *
 * What an instruction does to control and to rax, which holds the number of a system call. Of rax only what is sure is
 * told: whatever is not on the list may change it.
 */
#include "fast/parts.h"

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

/* Of 8 bits, 4 may be ah: opcodes of 8 bits are even, but setcc's. More than those are taken for one: rsp is no usual
 * destination of theirs. */
static bool is_rax(const struct parts *in, unsigned int number, unsigned int extension)
{
	if (in->rex & extension)
		return false;
	return number == 0 || (number == 4 && (in->map == MAP_0F || !(in->opcode & 1)));
}

static bool keeps_rax(const struct parts *in)
{
	switch (change_of(in)) {
	case 'k':
		return true;
	case 'g':
		return !is_rax(in, modrm_reg(in), REX_R);
	case 'm':
		return modrm_mod(in) != 3 || !is_rax(in, in->modrm & 7, REX_B);
	case 'o':
		return !is_rax(in, in->opcode & 7, REX_B);
	default:
		return false;
	}
}

static int32_t read_signed(const struct parts *in)
{
	uint32_t value = 0;

	for (unsigned int i = 0; i < in->immediate_size && i < sizeof(value); i++)
		value |= (uint32_t)in->immediate[i] << 8 * i;
	if (in->immediate_size == 1)
		return (int8_t)value;
	if (in->immediate_size == 2)
		return (int16_t)value;
	return (int32_t)value;
}

static bool sets_eax(const struct parts *in)
{
	if (in->map != MAP_ONE_BYTE || operands_are_16_bit(in) || in->rex & REX_B)
		return false;
	switch (in->opcode) {
	case 0xb8:
		return in->immediate_size == 4;
	case 0xc7:
		return in->modrm == 0xc0;
	case 0x31: /* xor eax, eax, both ways: no immediate, so the number is 0 */
	case 0x33:
		return in->modrm == 0xc0 && !(in->rex & REX_R);
	default:
		return false;
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

void tell_effects(const struct parts *in, struct instruction *out)
{
	bool legacy_0f = in->map == MAP_0F && !in->vector;
	bool one = in->map == MAP_ONE_BYTE;

	out->branch |= one && in->opcode == 0xc7 && in->modrm == 0xf8; /* xbegin: to where an abort goes */
	if (out->branch)
		out->displacement = read_signed(in);
	out->ends = ends(in);
	out->system_call = legacy_0f && in->opcode == 0x05;
	out->foreign_call = (legacy_0f && in->opcode == 0x34) || (one && in->opcode == 0xcd && *in->immediate == 0x80);
	out->sets_number = sets_eax(in);
	if (out->sets_number)
		out->number = (uint32_t)read_signed(in);
	out->keeps_number = keeps_rax(in);
}
