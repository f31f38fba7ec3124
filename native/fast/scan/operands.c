/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What an instruction takes, and whether it may be run elsewhere: only the ones that compilers put around system calls
 * are told to be relocatable. Of the flags, what is not sure is taken for a reader of them.
 */
#include "fast/scan/instruction.h"

/* What an opcode does to the status flags, 16 opcodes a line.
 *
 *   s  sets all without reading any   .  reads none, may change some   r  reads some, or who knows
 *   a  80, 81, 83: as s, but for adc and sbb    h  shifts: as ., but for rcl and rcr    f  F6, F7: see below
 */
static const char one_byte[] = "ssssssrrssssssrr"  /* 00 */
			       "rrrrrrrrrrrrrrrr"  /* 10: adc, sbb */
			       "ssssssrrssssssrr"  /* 20 */
			       "ssssssrrssssssrr"  /* 30 */
			       "rrrrrrrrrrrrrrrr"  /* 40: REX */
			       "................"  /* 50 */
			       "rrr.rrrr....rrrr"  /* 60 */
			       "rrrrrrrrrrrrrrrr"  /* 70: jcc */
			       "aarass.........."  /* 80 */
			       "..........rrrrrr"  /* 90 */
			       "........ss......"  /* A0 */
			       "................"  /* B0 */
			       "hh..rr....rrrrrr"  /* C0 */
			       "hhhhrrrrrrrrrrrr"  /* D0 */
			       "rrrrrrrr..r.rrrr"  /* E0 */
			       "rrrr.rff........"; /* F0 */

static const char two_byte[] = "rrrrr.rrrrr.r.rr"  /* 0F 00 */
			       "................"  /* 10 */
			       "rrrrrrrr......ss"  /* 20 */
			       "r.rrrrrrrrrrrrrr"  /* 30 */
			       "rrrrrrrrrrrrrrrr"  /* 40: cmovcc */
			       "................"  /* 50 */
			       "................"  /* 60 */
			       "........rrrr...."  /* 70 */
			       "rrrrrrrrrrrrrrrr"  /* 80: jcc */
			       "rrrrrrrrrrrrrrrr"  /* 90: setcc */
			       "......rr..r....."  /* A0 */
			       "................"  /* B0 */
			       "................"  /* C0 */
			       "................"  /* D0 */
			       "................"  /* E0 */
			       "................"; /* F0 */

static char flags_of(const struct parts *in)
{
	unsigned int operation = modrm_reg(in);
	char flags;

	if (in->vector)
		return '.';
	if (in->map == MAP_0F)
		return two_byte[in->opcode];
	if (in->map != MAP_ONE_BYTE) /* adcx and adox are at the end of 0F38 */
		return in->opcode >= 0xf0 ? 'r' : '.';
	if (in->opcode == 0xc7 && operation != 0) /* xbegin */
		return 'r';
	flags = one_byte[in->opcode];
	switch (flags) {
	case 'a':
		return operation == 2 || operation == 3 ? 'r' : 's';
	case 'h':
		return operation == 2 || operation == 3 ? 'r' : '.';
	case 'f': /* test and neg; not, mul, div */
		return operation < 2 || operation == 3 ? 's' : '.';
	default:
		return flags;
	}
}

/* What becomes of the operands of a relocatable opcode, 16 opcodes a line; upper case: ModRM tells the operands.
 *
 *   U  rm is changed        T  both are only read       W  rm is written     N  no more than a nop
 *   G  reg is changed       R  reg is written from rm   L  lea
 *   c  a register from an immediate                     e  rax and an immediate
 *   A  80, 81, 83: U or T   I  C6, C7: W of an immediate   F  F6, F7: T or U   H  shifts   P  FE, FF: inc, dec
 *   -  not relocatable
 */
static const char one_byte_kinds[] = "UUGGee--UUGGee--"	 /* 00 */
				     "----------------"	 /* 10 */
				     "UUGGee--UUGGee--"	 /* 20 */
				     "UUGGee--TTTTee--"	 /* 30 */
				     "----------------"	 /* 40 */
				     "----------------"	 /* 50 */
				     "---R------------"	 /* 60 */
				     "----------------"	 /* 70 */
				     "AA-ATT--WWRR-L--"	 /* 80 */
				     "----------------"	 /* 90: the nop is told apart */
				     "--------ee------"	 /* A0 */
				     "cccccccccccccccc"	 /* B0 */
				     "HH----II--------"	 /* C0 */
				     "----------------"	 /* D0 */
				     "----------------"	 /* E0 */
				     "------FF------PP"; /* F0 */

static char kind_of_0f(const struct parts *in)
{
	switch (in->opcode) {
	case 0x1f: /* nop */
		return in->repeat || modrm_reg(in) ? '-' : 'N';
	case 0xb6: /* movzx, movsx */
	case 0xb7:
	case 0xbe:
	case 0xbf:
		return in->repeat || in->operand_prefix ? '-' : 'R';
	case 0x10: /* movups, movaps, movdqa, pxor, punpcklqdq and the like: to a vector register */
	case 0x16:
	case 0x28:
	case 0x57:
	case 0x6c:
	case 0x6f:
	case 0xef:
		return 'X';
	case 0x11: /* and to rm */
	case 0x17:
	case 0x29:
	case 0x7f:
	case 0xd6:
		return 'Y';
	default:
		return '-';
	}
}

static char kind_of(const struct parts *in)
{
	unsigned int operation = modrm_reg(in);
	char kind;

	if (in->vector || in->lock || in->address_prefix || in->rip_relative)
		return '-';
	if (in->map == MAP_0F)
		return kind_of_0f(in);
	if (in->map != MAP_ONE_BYTE || in->repeat)
		return '-';
	if (in->opcode == 0x90)
		return in->rex & REX_B ? '-' : 'n';
	kind = in->operand_prefix ? '-' : one_byte_kinds[in->opcode];
	switch (kind) {
	case 'A':
		return operation == 7 ? 'T' : operation == 2 || operation == 3 ? '-' : 'U';
	case 'I':
		return operation == 0 ? 'W' : '-';
	case 'F':
		return operation == 0 ? 'T' : operation == 2 || operation == 3 ? 'U' : '-';
	case 'H':
		return operation == 4 || operation == 5 || operation == 7 ? 'U' : '-';
	case 'P':
		return operation < 2 ? 'U' : '-';
	default:
		return kind;
	}
}

/* Base and index. */
static uint16_t address_registers(const struct parts *in)
{
	unsigned int bits = 0, index = full_number(in, in->sib >> 3, REX_X);

	if (modrm_mod(in) == 3)
		return 0;
	if ((in->modrm & 7) != 4) /* relative to rip it is not: that is not relocatable */
		return (uint16_t)(1u << full_number(in, in->modrm, REX_B));
	if (modrm_mod(in) != 0 || (in->sib & 7) != 5)
		bits = 1u << full_number(in, in->sib, REX_B);
	return (uint16_t)(bits | (index == 4 ? 0 : 1u << index));
}

static uint16_t read_registers(const struct parts *in, char kind)
{
	uint16_t address = address_registers(in), reg = register_bits(in, modrm_reg(in), REX_R);
	uint16_t rm = modrm_mod(in) == 3 ? register_bits(in, in->modrm, REX_B) : 0;

	switch (kind) {
	case 'c':
	case 'n':
	case 'N':
		return 0;
	case 'e':
		return 1;
	case 'L':
	case 'X':
	case 'Y':
		return address;
	case 'R':
		return address | rm;
	case 'W': /* it has no reg, if what it writes is an immediate */
		return address | (in->opcode >= 0xc6 ? 0 : reg);
	default: /* more than needed where reg tells the operation */
		return address | rm | reg;
	}
}

void find_operands(const struct parts *in, struct instruction *out)
{
	char flags = flags_of(in), kind = kind_of(in);
	bool memory = kind >= 'A' && kind <= 'Z' && kind != 'L' && kind != 'N' && modrm_mod(in) != 3;

	out->sets_flags = flags == 's';
	out->reads_flags = flags == 'r';
	out->relocatable = kind != '-';
	if (!out->relocatable)
		return;
	out->reads = out->constant ? 0 : read_registers(in, kind);
	out->stores = memory && (kind == 'U' || kind == 'W' || kind == 'Y');
	out->loads = memory && kind != 'W' && kind != 'Y';
}
