/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PT_FAST_DECODE_H
#define PT_FAST_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "fast/scan/instruction.h"

/* The length, or -EILSEQ: no instruction, or cut off. Not all that the processor would refuse is refused: an opcode
 * that is not taken yet has a length, too, where its map tells what it would be. */
int decode(const uint8_t *code, size_t size, struct instruction *out);
/* The same without what is told of relocatable ones, which takes as long again. */
int decode_flow(const uint8_t *code, size_t size, struct instruction *out);

#endif
