/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fast/patch/closer.h"
#include "fast/count/under_way.h"

#include <sys/syscall.h>

#include "fast/patch/position.h"

bool closer_leaves(const struct image *image, const struct registers *regs)
{
	struct position place;
	unsigned int argument;

	if (!position_find(image, registers_instruction(regs), &place) || !place.closing ||
	    (place.offset == place.body->closing && registers_carry(regs)))
		return false;
	argument = place.body->number == SYS_close ? 0 : 1; /* else dup2(2) or dup3(2) */
	under_way_end_closing(image, (unsigned int)registers_argument(regs, argument, false),
			      place.stage >= STAGE_CALL);
	return true;
}
