/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fast/patch/position.h"

#include "fast/image/twin.h"

static bool counts(const struct stub_body *body)
{
	return body->claimed != body->committed;
}

static bool connects(const struct stub_body *body)
{
	return body->ready != body->released;
}

bool place_counts(const struct position *place)
{
	return place->body && counts(place->body);
}

static void look_in_stub(struct position *place)
{
	const struct stub *stub = place->site->stub;
	const uint32_t offset = place->offset;

	place->in_stub = true;
	place->under_way = offset >= stub->back_out && offset < stub->twin;
	if (offset < place->site->before)
		place->stage = STAGE_ROOM;
	else if (offset >= stub->tail)
		place->stage = STAGE_TAIL;
	else
		place->stage = offset == stub->plain_done ? STAGE_CALL : STAGE_BEFORE;
	for (const struct stub_body *body = stub->bodies; body < stub->bodies_end; body++) {
		if (offset >= body->used && offset < body->undone) {
			place->body = body;
			place->closing = true;
		}
		if (offset < body->under_way || offset > body->released)
			continue;
		place->closing = offset >= body->closing && offset < body->released;
		place->body = body;
		place->under_way = (counts(body) || connects(body)) && offset < body->released;
		place->connecting = connects(body) && offset >= body->ready && offset < body->released;
		if (offset >= body->done)
			place->stage = offset == body->done ? STAGE_CALL : STAGE_BEHIND;
	}
}

bool position_find(const struct image *image, uint64_t address, struct position *place)
{
	uint32_t offset = 0;
	const struct fast_site *site = image_stub_of(image, address, &offset);

	*place = (struct position){.site = site, .offset = offset};
	if (site) {
		look_in_stub(place);
		return true;
	}
	place->site = image_twin_of(image, address, &place->offset);
	if (place->offset < TWIN_DONE)
		place->stage = STAGE_BEFORE;
	else
		place->stage = place->offset == TWIN_DONE ? STAGE_CALL : STAGE_TAIL;
	return place->site != NULL;
}
