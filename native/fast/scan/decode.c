/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The length of an x86 instruction of 64-bit mode. Intel's manual (volume 2, chapter 2) says how its parts follow each
 * other. Only bytes are looked at: it runs anywhere.
 */
#include "fast/scan/decode.h"

#include <errno.h>

#include "fast/scan/instruction.h"

#define LONGEST 15

static bool next(struct parts *in, uint8_t *byte)
{
	if (in->at == in->end)
		return false;
	*byte = *in->at++;
	return true;
}

static bool skip(struct parts *in, unsigned int bytes)
{
	if (in->end - in->at < (ptrdiff_t)bytes)
		return false;
	in->at += bytes;
	return true;
}

static void read_prefixes(struct parts *in)
{
	for (; in->at < in->end; in->at++) {
		switch (*in->at) {
		case 0x66:
			in->operand_prefix = true;
			break;
		case 0x67:
			in->address_prefix = true;
			break;
		case 0xf0:
			in->lock = true;
			break;
		case 0xf2:
		case 0xf3:
			in->repeat = *in->at;
			break;
		case 0x26: /* segments */
		case 0x2e:
		case 0x36:
		case 0x3e:
		case 0x64:
		case 0x65:
			break;
		default:
			if ((*in->at & 0xf0) != 0x40)
				return;
			in->rex = *in->at;
			continue;
		}
		in->rex = 0; /* it counts only right before the opcode */
	}
}

/* VEX (C5 and one byte, C4 and two), EVEX (62 and three), XOP (8F and two): these bytes tell the map; then the opcode.
 */
static bool read_vector_opcode(struct parts *in, unsigned int bytes)
{
	const uint8_t *prefix = in->at;
	bool evex = bytes == 3;

	if (in->rex || in->operand_prefix || in->repeat || in->lock || !skip(in, bytes))
		return false;
	/* What must be 0 and 1 in an EVEX is another instruction set's (APX) if it is not. */
	if (evex && (prefix[0] & 0x08 || !(prefix[1] & 0x04)))
		return false;
	in->vector = true;
	in->map = bytes == 1 ? MAP_0F : prefix[0] & (evex ? 0x07 : 0x1f);
	return in->map != MAP_ONE_BYTE && next(in, &in->opcode);
}

static bool read_opcode(struct parts *in)
{
	if (!next(in, &in->opcode))
		return false;
	switch (in->opcode) {
	case 0x0f:
		in->map = MAP_0F;
		if (!next(in, &in->opcode))
			return false;
		if (in->opcode != 0x38 && in->opcode != 0x3a)
			return true;
		in->map = in->opcode == 0x38 ? MAP_0F38 : MAP_0F3A;
		return next(in, &in->opcode);
	case 0xc5:
		return read_vector_opcode(in, 1);
	case 0xc4:
		return read_vector_opcode(in, 2);
	case 0x62:
		return read_vector_opcode(in, 3);
	case 0x8f: /* pop, if it is a ModRM byte what follows: its reg must be 0, and an XOP map is 8 or more */
		return in->at == in->end || (*in->at & 0x1f) < MAP_XOP_8 || read_vector_opcode(in, 2);
	default:
		return true;
	}
}

static bool read_modrm(struct parts *in, bool memory)
{
	unsigned int displacement;

	if (!next(in, &in->modrm))
		return false;
	if (!memory || modrm_mod(in) == 3)
		return true;
	displacement = modrm_mod(in) == 0 ? 0 : modrm_mod(in) == 1 ? 1 : 4;
	if ((in->modrm & 7) == 4) {
		if (!next(in, &in->sib))
			return false;
		if (modrm_mod(in) == 0 && (in->sib & 7) == 5)
			displacement = 4;
	} else if (modrm_mod(in) == 0 && (in->modrm & 7) == 5) {
		displacement = 4;
		in->rip_relative = true;
	}
	return skip(in, displacement);
}

/* Takes it apart. False: there is no instruction. */
static bool take_apart(struct parts *in, char *form)
{
	read_prefixes(in);
	if (!read_opcode(in))
		return false;
	*form = form_of(in);
	/* Intel's processors ignore 66 here, AMD's take it for rel16: no compiler writes it. */
	if (*form == 'x' || (*form == 'l' && operands_are_16_bit(in)))
		return false;
	if (*form >= 'A' && *form <= 'Z' && (!read_modrm(in, *form != 'R') || !operation_exists(in)))
		return false;
	in->immediate = in->at;
	in->immediate_size = immediate_size(in, *form);
	return skip(in, in->immediate_size);
}

static int look(const uint8_t *code, size_t size, struct instruction *out, bool whole)
{
	struct parts in = {.at = code, .end = code + (size < LONGEST ? size : LONGEST)};
	char form;

	if (!take_apart(&in, &form))
		return -EILSEQ;
	*out = (struct instruction){.length = (uint8_t)(in.at - code), .branch = form == 'j' || form == 'l'};
	find_effects(&in, out);
	if (whole)
		find_operands(&in, out);
	return out->length;
}

int decode(const uint8_t *code, size_t size, struct instruction *out)
{
	return look(code, size, out, true);
}

int decode_flow(const uint8_t *code, size_t size, struct instruction *out)
{
	return look(code, size, out, false);
}
