/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Transfers as text. What is said of one, and how, Python knows (it makes the frames, one for each group of equal
 * transfers); only the two numbers that differ from row to row are written here.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/hash.h"
#include "ptmon_api.h"

#define SECOND 1000000000
#define NUMBER 24	  /* bytes that a time or a count takes at most */
#define EXACT (1ll << 52) /* beyond, a double does not hold each nanosecond */

/* A frame with the place of its text. */
struct piece {
	const uint8_t *text;
	struct pt_frame length;
};

uint32_t pt_transfers(const struct pt_record *records, uint32_t count)
{
	uint32_t row = 0;

	while (row < count && records[row].kind == PT_TRANSFER)
		row++;
	return row;
}

static int64_t since(const struct pt_record *row, uint64_t start)
{
	int64_t moment = (int64_t)(row->time - start);

	return moment > 0 ? moment : 0;
}

struct grouping {
	const struct pt_record *rows;
	const struct pt_group *groups;
	uint64_t start;
};

static bool alike(const void *context, uint32_t number, const void *row)
{
	const struct grouping *grouping = context;
	const struct pt_record *one = row, *other = &grouping->rows[grouping->groups[number].first];

	return one->tid == other->tid && one->socket == other->socket && one->fd == other->fd &&
	       one->syscall == other->syscall && one->direction == other->direction && one->error == other->error &&
	       one->calls == other->calls && one->fast == other->fast && one->tgid == other->tgid &&
	       since(one, grouping->start) / SECOND == since(other, grouping->start) / SECOND;
}

static uint64_t key_of(const struct pt_record *row)
{
	return ((uint64_t)(uint32_t)row->tid << 32 | row->socket) ^ ((uint64_t)(uint32_t)row->fd << 24) ^
	       ((uint64_t)row->syscall << 12) ^ row->direction ^ (uint64_t)(uint32_t)row->error << 40;
}

int pt_group(const struct pt_record *rows, uint32_t count, uint64_t start, struct pt_group *groups, uint32_t *group_of)
{
	const struct grouping grouping = {rows, groups, start};
	struct hash_index index = {.size = 16};
	uint32_t found = 0;

	while (index.size < 2 * (uint64_t)count)
		index.size *= 2;
	index.probes = index.size;
	index.slots = calloc(index.size, sizeof(*index.slots));
	if (!index.slots)
		return -ENOMEM;
	for (uint32_t row = 0; row < count; row++) {
		bool known;
		uint32_t *slot = hash_index_find(&index, key_of(&rows[row]), alike, &grouping, &rows[row], &known);

		if (!known) {
			groups[found] = (struct pt_group){.first = row};
			*slot = ++found;
		}
		groups[*slot - 1].count++;
		groups[*slot - 1].bytes += rows[row].bytes;
		group_of[row] = *slot - 1;
	}
	free(index.slots);
	return (int)found;
}

static uint8_t *put(uint8_t *to, const uint8_t *text, size_t length)
{
	memcpy(to, text, length);
	return to + length;
}

static uint8_t digit(uint64_t value)
{
	return (uint8_t)('0' + value % 10);
}

static uint8_t *put_number(uint8_t *to, uint64_t value)
{
	uint8_t digits[NUMBER], *at = digits + sizeof(digits);

	do {
		*--at = digit(value);
		value /= 10;
	} while (value);
	return put(to, at, digits + sizeof(digits) - at);
}

/* The rounded time. Whether a half goes up or down depends on the double that Python has of it; and printf rounds that
 * as Python does. */
static uint64_t microseconds(int64_t moment)
{
	char text[64];
	int length;

	if (moment % 1000 != 500 && moment < EXACT)
		return (uint64_t)(moment + 500) / 1000;
	length = snprintf(text, sizeof(text), "%.6f", (double)moment / 1e9);
	/* Not by its point, which a locale may have made a comma. */
	return strtoull(text, NULL, 10) * 1000000 + strtoull(text + length - 6, NULL, 10);
}

/* repr() of a float: the shortest text, and below 0.0001 with an exponent. */
static uint8_t *put_time(uint8_t *to, int64_t moment)
{
	uint64_t micros = microseconds(moment), fraction = micros % 1000000;
	uint8_t digits[6], *end = digits + sizeof(digits);

	if (micros && micros < 100) {
		uint64_t first = micros < 10 ? micros : micros / 10;

		*to++ = digit(first);
		if (micros >= 10 && micros % 10) {
			*to++ = '.';
			*to++ = digit(micros);
		}
		return put(to, (const uint8_t *)(micros < 10 ? "e-06" : "e-05"), 4);
	}
	to = put_number(to, micros / 1000000);
	*to++ = '.';
	for (int place = 5; place >= 0; place--, fraction /= 10)
		digits[place] = digit(fraction);
	while (end > digits + 1 && end[-1] == '0')
		end--;
	return put(to, digits, end - digits);
}

int64_t pt_format(const struct pt_record *rows, uint32_t count, uint64_t start, const uint32_t *group_of,
		  const struct pt_frame *frames, uint32_t frame_count, const uint8_t *text, uint8_t *to, uint64_t room)
{
	struct piece *pieces = calloc(frame_count ? frame_count : 1, sizeof(*pieces));
	uint8_t *at = to, *end = to + room;

	if (!pieces)
		return -ENOMEM;
	for (uint32_t frame = 0; frame < frame_count; frame++) {
		pieces[frame] = (struct piece){text, frames[frame]};
		text += frames[frame].head + frames[frame].middle + frames[frame].tail;
	}
	for (uint32_t row = 0; row < count; row++) {
		const struct piece *piece = &pieces[group_of[row]];
		const struct pt_frame *length = &piece->length;

		if ((uint64_t)(end - at) < 2ull * NUMBER + length->head + length->middle + length->tail) {
			free(pieces);
			return -ENOSPC;
		}
		at = put(at, piece->text, length->head);
		at = put_time(at, since(&rows[row], start));
		at = put(at, piece->text + length->head, length->middle);
		at = put_number(at, rows[row].bytes);
		at = put(at, piece->text + length->head + length->middle, length->tail);
	}
	free(pieces);
	return at - to;
}
