/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fast/patch/connector.h"
#include "fast/count/under_way.h"

#include <errno.h>

#include "calls/connect.h"
#include "calls/restart.h"
#include "fast/count/attempts.h"
#include "fast/image/attempter.h"
#include "fast/image/layout.h"
#include "fast/patch/position.h"

static bool find(const struct image *image, const struct registers *regs, struct position *place, unsigned int *fd)
{
	*fd = (unsigned int)registers_argument(regs, 0, false);
	return position_find(image, registers_instruction(regs), place) && place->connecting && *fd < FAST_FDS &&
	       !(place->offset == place->body->ready && registers_carry(regs));
}

/* It has written all of it, or its entry is not its own any more: nor is what the slot counts then. */
static bool has_told(const struct position *place)
{
	return place->offset >= place->body->asked;
}

static void release(const struct image *image, const struct position *place, const struct registers *regs,
		    unsigned int fd)
{
	if (!(place->offset == place->body->asked && registers_carry(regs)))
		under_way_release(image, fd);
}

static bool has_returned(const struct position *place, const struct registers *regs)
{
	const int64_t result = registers_result(regs);

	return place->stage == STAGE_BEHIND ||
	       (place->stage == STAGE_CALL && !restart_result(result) && result != -ENOSYS);
}

bool connector_leaves(struct pt_tracer *t, const struct image *image, struct tracee *tracee, struct registers *regs)
{
	struct attempt attempt;
	struct position place;
	uint32_t generation;
	unsigned int fd;
	int64_t entry;

	if (!find(image, regs, &place, &fd))
		return false;
	entry = has_told(&place) ? -1 : attempter_entry(image, fd, regs);
	release(image, &place, regs, fd);
	if (entry >= 0 && attempts_begun(t, image, (unsigned int)entry, &attempt, &generation)) {
		under_way_end_connecting(image, fd, generation, place.stage >= STAGE_CALL);
		if (tracee && place.stage >= STAGE_CALL && registers_result(regs) != -ENOSYS)
			connect_ended(t, tracee, (int)fd, &attempt, registers_result(regs));
	}
	if (entry >= 0)
		attempter_free(image, (unsigned int)entry);
	if (has_returned(&place, regs))
		registers_set_instruction(regs, place.site->stub_at + place.site->stub->tail);
	return true;
}

bool connector_finishes(struct pt_tracer *t, const struct image *image, struct tracee *tracee, struct registers *regs)
{
	struct position place;
	unsigned int fd;

	return find(image, regs, &place, &fd) && has_returned(&place, regs) && connector_leaves(t, image, tracee, regs);
}

bool connector_dies(const struct image *image, const struct registers *regs)
{
	struct position place;
	unsigned int fd;
	int64_t entry;

	if (!find(image, regs, &place, &fd))
		return false;
	entry = has_told(&place) ? -1 : attempter_entry(image, fd, regs);
	if (entry >= 0)
		attempter_free(image, (unsigned int)entry);
	release(image, &place, regs, fd);
	return true;
}
