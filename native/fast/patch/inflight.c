/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fast/patch/inflight.h"
#include "fast/count/under_way.h"

#include <errno.h>
#include <stddef.h>

#include "calls/restart.h"
#include "fast/count/distrust.h"
#include "fast/count/drain.h"
#include "fast/count/records.h"
#include "fast/count/ring.h"
#include "fast/count/slot.h"
#include "fast/image/layout.h"
#include "fast/patch/position.h"

/* Is it in the part of a stub between which a call counts as under way? */
static bool find(const struct image *image, const struct registers *regs, struct position *place)
{
	return position_find(image, registers_instruction(regs), place) && place_counts(place) && place->under_way;
}

/* A thread may jump into a stub with any registers. Is this the place of a record, where it has to be one? */
static bool is_sound(const struct position *place, const struct registers *regs)
{
	const uint64_t end = (uint64_t)FAST_RINGS << (FAST_RING_BITS + FAST_RECORD_BITS);

	if (place->offset < place->body->placed || place->offset >= place->body->committed)
		return true;
	return registers_r11(regs) < end && registers_r11(regs) % (1 << FAST_RECORD_BITS) == 0;
}

/* Offset from FAST_RING on of the record that the thread has begun, or -1. */
static int64_t begun(const struct image *image, const struct position *place, const struct registers *regs)
{
	if (place->offset < place->body->claimed || place->offset >= place->body->committed)
		return -1;
	if (place->offset >= place->body->placed)
		return (int64_t)registers_r11(regs);
	return (int64_t)ring_place(ring_of(image, registers_thread_pointer(regs)), registers_rcx(regs));
}

/* So that it is no gap. */
static void make_void(const struct image *image, uint64_t place)
{
	struct fast_record record = {
		.number = FAST_NUMBER_VOID,
		.round = (uint16_t)(ring_number(image, place) >> FAST_RING_BITS),
	};

	/* The rest stays: inflight_finish() reads it. */
	image_write(image, FAST_RING + place, &record, offsetof(struct fast_record, result));
}

/* What the call has returned. */
static int64_t result_of(const struct image *image, const struct position *place, const struct registers *regs)
{
	int64_t result = registers_result(regs), offset = begun(image, place, regs);

	if (offset >= 0 && place->offset >= place->body->kept)
		image_read(image, FAST_RING + (uint64_t)offset + 8, &result, sizeof(result));
	return result;
}

/* It stands behind the syscall instruction, but has not come back: it is in the kernel, which will make the call again,
 * or has not begun it (-ENOSYS stands in rax meanwhile). */
static bool is_in_call(const struct position *place, const struct registers *regs)
{
	int64_t result = registers_result(regs);

	return place->offset == place->body->done && (restart_result(result) || result == -ENOSYS);
}

bool inflight_count(struct pt_tracer *t, struct image *image, struct tracee *tracee, const struct registers *regs,
		    bool dies)
{
	const unsigned int fd = (unsigned int)registers_argument(regs, 0, false);
	struct fast_record record = {.fd = (uint16_t)fd};
	struct position place;
	int64_t offset;
	bool returned;

	if (image->lost || !find(image, regs, &place))
		return false;
	if (!is_sound(&place, regs)) {
		distrust(t, image);
		return false;
	}
	if (fd >= FAST_FDS) {
		distrust(t, image);
		return false;
	}
	record.generation = slot_shown(slot_generation(image, fd));
	returned = place.offset >= place.body->done && place.offset < place.body->committed &&
		   !is_in_call(&place, regs);
	if (dies || returned)
		under_way_release(image, fd);
	if (!returned)
		return false;
	record.number = (uint16_t)place.body->number;
	record.result = result_of(image, &place, regs);
	offset = begun(image, &place, regs);
	if (offset >= 0)
		make_void(image, (uint64_t)offset);
	drain_now(t, image);
	if (!dies || place.offset > place.body->done || record.result != -EINTR)
		records_emit_one(t, image, tracee, &record, (uint64_t)t->now);
	return true;
}

bool inflight_finish(const struct image *image, struct registers *regs)
{
	struct position place;
	uint64_t rdx;
	int64_t offset;

	if (!find(image, regs, &place) || place.offset < place.body->done || is_in_call(&place, regs) ||
	    !is_sound(&place, regs))
		return false;
	offset = begun(image, &place, regs);
	if (place.offset >= place.body->lent && place.offset < place.body->returned &&
	    image_read(image, FAST_RING + (uint64_t)offset + 16, &rdx, sizeof(rdx)) == 0)
		registers_set_rdx(regs, rdx);
	registers_set_result(regs, result_of(image, &place, regs));
	if (offset >= 0)
		make_void(image, (uint64_t)offset);
	registers_set_instruction(regs, place.site->stub_at + place.site->stub->tail);
	return true;
}
