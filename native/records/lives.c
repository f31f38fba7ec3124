/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "records/lives.h"

#include <stdlib.h>

#include "records/emit.h"

#define FEWEST 256 /* lives that there is room for at first */

static bool make_room(struct out *out)
{
	const uint32_t capacity = out->life_capacity ? 2 * out->life_capacity : FEWEST;
	void *more;

	if (out->life_count < out->life_capacity)
		return true;
	more = realloc(out->lives, capacity * sizeof(*out->lives));
	if (!more)
		return false;
	out->lives = more;
	more = realloc(out->steps, 2 * (size_t)capacity * sizeof(*out->steps));
	if (!more)
		return false;
	out->steps = more;
	out->life_capacity = capacity;
	return true;
}

/* False: there is no room for the record, and the batch tells that something was lost (emit.c). */
static bool step(struct pt_tracer *t, const struct tracee *tracee, uint32_t what)
{
	struct out *out = &t->out;

	if (!out->run && emit(t, PT_LIVES, tracee, NULL, 0))
		out->run = out->count;
	if (!out->run)
		return false;
	out->steps[out->step_count++] = what;
	out->records[out->run - 1].calls++;
	return true;
}

struct pt_life *lives_begin(struct pt_tracer *t, const struct tracee *tracee, uint32_t *index)
{
	struct out *out = &t->out;

	if (!t->options.aggregate || !t->options.lives || !make_room(out))
		return NULL;
	if (!step(t, tracee, 0))
		return NULL;
	*index = out->life_count++;
	out->lives[*index] = (struct pt_life){0};
	return &out->lives[*index];
}

void lives_end(struct pt_tracer *t, const struct tracee *tracee, const struct pt_life *life)
{
	step(t, tracee, life->row);
}

bool lives_add(struct pt_life *life, const struct pt_record *transfer)
{
	if (life->tgid && life->tgid != transfer->tgid)
		return false;
	life->tgid = transfer->tgid;
	if (transfer->direction == PT_SENT) {
		life->sent += transfer->bytes;
		life->calls_sent += transfer->calls;
		return true;
	}
	life->calls_received += transfer->calls;
	if (transfer->direction == PT_RECEIVED)
		life->received += transfer->bytes;
	else
		life->peeked += transfer->bytes;
	return true;
}
