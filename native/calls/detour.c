/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "calls/detour.h"

bool detour_make(struct tracee *tracee, struct detour *detour, int64_t number, const uint64_t args[6])
{
	struct registers regs;

	if (registers_read(tracee->tid, &detour->saved) < 0)
		return false;
	detour->number = tracee->call.number;
	regs = detour->saved;
	registers_set_arguments(&regs, args, tracee->call.compat);
	return registers_set_number(tracee->tid, &regs, number) == 0;
}

void detour_end(const struct tracee *tracee, struct detour *detour)
{
	registers_restart(&detour->saved, (int64_t)detour->number);
	registers_set_number(tracee->tid, &detour->saved, -1);
}
