/* SPDX-License-Identifier: GPL-2.0-or-later
 * What calls do to the addresses at which the fast path's memory lies, or would lie. */
#ifndef PT_FAST_EFFECT_H
#define PT_FAST_EFFECT_H

#include "state/tracer.h"

enum effect {
	EFFECT_NOTHING,
	EFFECT_TAKES_ROOM, /* it limits or locks memory */
	EFFECT_TOUCHES,	   /* what is there already */
	EFFECT_MAPS,	   /* something comes there */
	EFFECT_MAY_MAP	   /* the kernel chooses where; its result will tell */
};

/* The tracee stands before that call. */
enum effect effect_of(const struct tracee *tracee, enum abi abi, uint64_t number, const uint64_t args[6]);

#endif
