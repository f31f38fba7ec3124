/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What follows an opcode, map by map: the opcode maps of Intel's manual (volume 2, appendix A) and, for XOP, of AMD's
 * (volume 3, appendix A) as tables.
 */
#include "fast/scan/instruction.h"

/* What follows an opcode, 16 opcodes a line. Upper case: ModRM, and what goes with it; then
 *
 *   . M  nothing          b B  imm8                 z Z  imm32, or imm16 with 66    D  imm32
 *   w    imm16            e    imm16 and imm8       v    imm64, imm32 or imm16      o  an address
 *   T    imm8 or imm32, but only of test (F6, F7)   R    nothing; no memory, whatever ModRM.mod says
 *   j    rel8             l    rel32                x    no instruction, or another meaning (prefixes, escapes)
 */
static const char one_byte[] = "MMMMbzxxMMMMbzxx"  /* 00 */
			       "MMMMbzxxMMMMbzxx"  /* 10 */
			       "MMMMbzxxMMMMbzxx"  /* 20 */
			       "MMMMbzxxMMMMbzxx"  /* 30 */
			       "xxxxxxxxxxxxxxxx"  /* 40: REX */
			       "................"  /* 50 */
			       "xxxMxxxxzZbB...."  /* 60 */
			       "jjjjjjjjjjjjjjjj"  /* 70 */
			       "BZxBMMMMMMMMMMMM"  /* 80 */
			       "..........x....."  /* 90 */
			       "oooo....bz......"  /* A0 */
			       "bbbbbbbbvvvvvvvv"  /* B0 */
			       "BBw.xxBZe.w..bx."  /* C0 */
			       "MMMMxxx.MMMMMMMM"  /* D0 */
			       "jjjjbbbbllxj...."  /* E0 */
			       "x.xx..TT......MM"; /* F0 */

static const char two_byte[] = "MMMMx.....x.xMxx"  /* 0F 00; 3DNow! is left out */
			       "MMMMMMMMMMMMMMMM"  /* 10 */
			       "RRRRxxxxMMMMMMMM"  /* 20 */
			       "......x.xxxxxxxx"  /* 30 */
			       "MMMMMMMMMMMMMMMM"  /* 40 */
			       "MMMMMMMMMMMMMMMM"  /* 50 */
			       "MMMMMMMMMMMMMMMM"  /* 60 */
			       "BBBBMMM.MMxxMMMM"  /* 70 */
			       "llllllllllllllll"  /* 80 */
			       "MMMMMMMMMMMMMMMM"  /* 90 */
			       "...MBMxx...MBMMM"  /* A0 */
			       "MMMMMMMMMMBMMMMM"  /* B0 */
			       "MMBMBBBM........"  /* C0 */
			       "MMMMMMMMMMMMMMMM"  /* D0 */
			       "MMMMMMMMMMMMMMMM"  /* E0 */
			       "MMMMMMMMMMMMMMMM"; /* F0 */

static char legacy_form(const struct parts *in)
{
	/* vmread; with 66 and F2 it is another instruction, which has immediates (SSE4a) */
	if (in->opcode == 0x78 && (in->operand_prefix || in->repeat))
		return 'x';
	return two_byte[in->opcode];
}

/* Of the map 0F. */
static char vector_form(const struct parts *in)
{
	char form = two_byte[in->opcode];

	if (in->opcode == 0x7a || in->opcode == 0x7b) /* AVX512 alone has these */
		return 'M';
	return form == 'M' || form == 'B' || in->opcode == 0x77 /* vzeroupper */ ? form : 'x';
}

char form_of(const struct parts *in)
{
	switch (in->map) {
	case MAP_ONE_BYTE:
		return one_byte[in->opcode];
	case MAP_0F:
		return in->vector ? vector_form(in) : legacy_form(in);
	case MAP_0F38:
	case MAP_5:
	case MAP_6:
	case MAP_XOP_9:
		return 'M';
	case MAP_0F3A:
	case MAP_XOP_8:
		return 'B';
	case MAP_XOP_A:
		return 'D';
	default:
		return 'x';
	}
}

uint8_t immediate_size(const struct parts *in, char form)
{
	uint8_t full = operands_are_16_bit(in) ? 2 : 4;

	switch (form) {
	case 'b':
	case 'B':
	case 'j':
		return 1;
	case 'w':
		return 2;
	case 'e':
		return 3;
	case 'l':
	case 'D':
		return 4;
	case 'z':
	case 'Z':
		return full;
	case 'v':
		return in->rex & REX_W ? 8 : full;
	case 'o':
		return in->address_prefix ? 4 : 8;
	case 'T':
		return modrm_reg(in) > 1 ? 0 : in->opcode & 1 ? full : 1;
	default:
		return 0;
	}
}

bool operation_exists(const struct parts *in)
{
	if (in->map != MAP_ONE_BYTE)
		return true;
	switch (in->opcode) {
	case 0x8d: /* lea */
		return modrm_mod(in) != 3;
	case 0x8f: /* pop */
		return modrm_reg(in) == 0;
	case 0xc6: /* mov, or xabort */
	case 0xc7: /* mov, or xbegin */
		return modrm_reg(in) == 0 || in->modrm == 0xf8;
	case 0xfe: /* inc, dec */
		return modrm_reg(in) < 2;
	case 0xff:
		return modrm_reg(in) != 7;
	default:
		return true;
	}
}
