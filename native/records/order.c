/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a process has counted by itself is read at its stops. So others, which are emitted at theirs, may have been
 * emitted of before it, though it was later.
 *
 * A merge sort that looks first whether there is anything to merge. For what comes is a few long runs, one for each
 * process whose records were read, or has neighbours changed places here and there, where threads write to one ring.
 */
#include "records/order.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK 16 /* keys that are sorted by insertion */

struct order_key {
	uint64_t time;
	uint32_t index;
};

static bool is_ordered(const struct out *out)
{
	for (uint32_t i = 1; i < out->count; i++)
		if (out->records[i].time < out->records[i - 1].time)
			return false;
	return true;
}

static void insert_all(struct order_key *keys, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++) {
		const struct order_key key = keys[i];
		uint32_t at = i;

		for (; at && keys[at - 1].time > key.time; at--)
			keys[at] = keys[at - 1];
		keys[at] = key;
	}
}

static void merge(const struct order_key *from, uint32_t middle, uint32_t count, struct order_key *to)
{
	uint32_t left = 0, right = middle;

	if (middle >= count || from[middle - 1].time <= from[middle].time) {
		memcpy(to, from, count * sizeof(*to));
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		bool first = right == count || (left < middle && from[left].time <= from[right].time);

		to[i] = first ? from[left++] : from[right++];
	}
}

/* keys and spare have room for count. What is returned is one of them. */
static const struct order_key *sort(struct order_key *keys, struct order_key *spare, uint32_t count)
{
	for (uint32_t at = 0; at < count; at += BLOCK)
		insert_all(keys + at, count - at < BLOCK ? count - at : BLOCK);
	for (uint64_t run = BLOCK; run < count; run *= 2) {
		struct order_key *sorted = spare;

		for (uint64_t at = 0; at < count; at += 2 * run) {
			const uint64_t left = count - at;

			merge(keys + at, (uint32_t)run, (uint32_t)(left < 2 * run ? left : 2 * run), spare + at);
		}
		spare = keys;
		keys = sorted;
	}
	return keys;
}

static bool make_room(struct out *out)
{
	if (out->sorted_capacity == out->capacity)
		return true;
	free(out->sorted);
	free(out->keys);
	out->sorted = malloc(out->capacity * sizeof(*out->sorted));
	out->keys = malloc(2 * (size_t)out->capacity * sizeof(*out->keys));
	out->sorted_capacity = out->sorted && out->keys ? out->capacity : 0;
	return out->sorted_capacity;
}

bool order_by_time(struct out *out)
{
	struct pt_record *records = out->records;
	const struct order_key *keys;

	if (is_ordered(out))
		return true;
	if (!make_room(out))
		return false;
	for (uint32_t i = 0; i < out->count; i++)
		out->keys[i] = (struct order_key){.time = records[i].time, .index = i};
	keys = sort(out->keys, out->keys + out->capacity, out->count);
	for (uint32_t i = 0; i < out->count; i++)
		out->sorted[i] = records[keys[i].index];
	out->records = out->sorted;
	out->sorted = records;
	return true;
}
