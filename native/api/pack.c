/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Records as few bytes, and back: what --record writes. Most rows repeat an earlier one in all but their time. So the
 * last rows of SLOTS different kinds are kept, and of a row only what differs from one of them is written:
 *
 *   one byte        which of the kept rows it is like, and FIELDS_FOLLOW if it differs in more than its time
 *   a number        nanoseconds since the row before (zigzag: small negative ones are short, too)
 *   a number        which fields differ, as bits; only with FIELDS_FOLLOW, and so are
 *   numbers         the differences, in the order of the fields
 *
 * A number is written by seven bits a byte, the lowest first; all bytes but its last have the highest bit set (LEB128).
 * A row's data mostly stands behind that of the row before; jump is how far from there it is. The rows are in the order
 * of their times, and the data in that in which it was found out.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "ptmon_api.h"

#define SLOTS 16
#define FIELDS_FOLLOW 0x10
#define NUMBER_MOST 10 /* bytes of a number */

/* All fields but time, which every row has; JUMP for data_offset. */
enum { CALLS, BYTES, KIND, TGID, TID, FD, SOCKET, ERROR, VALUE, SYSCALL, DIRECTION, FAST, DATA_LENGTH, JUMP, FIELDS };

_Static_assert(PT_PACKED_MOST >= 1 + NUMBER_MOST * (2 + FIELDS), "the longest row");

struct kept {
	int64_t fields[SLOTS][FIELDS];
	uint64_t time;
	uint32_t data_end; /* of the last row that had any */
};

struct reader {
	const uint8_t *at;
	const uint8_t *end;
	bool broken;
};

static void take_fields(const struct pt_record *row, const struct kept *kept, int64_t fields[FIELDS])
{
	fields[CALLS] = (int64_t)row->calls;
	fields[BYTES] = (int64_t)row->bytes;
	fields[KIND] = row->kind;
	fields[TGID] = row->tgid;
	fields[TID] = row->tid;
	fields[FD] = row->fd;
	fields[SOCKET] = row->socket;
	fields[ERROR] = row->error;
	fields[VALUE] = row->value;
	fields[SYSCALL] = row->syscall;
	fields[DIRECTION] = row->direction;
	fields[FAST] = row->fast;
	fields[DATA_LENGTH] = row->data_length;
	fields[JUMP] = row->data_length ? (int64_t)row->data_offset - kept->data_end : 0;
}

static void give_fields(const int64_t fields[FIELDS], const struct kept *kept, struct pt_record *row)
{
	row->calls = (uint64_t)fields[CALLS];
	row->bytes = (uint64_t)fields[BYTES];
	row->kind = (uint32_t)fields[KIND];
	row->tgid = (int32_t)fields[TGID];
	row->tid = (int32_t)fields[TID];
	row->fd = (int32_t)fields[FD];
	row->socket = (uint32_t)fields[SOCKET];
	row->error = (int32_t)fields[ERROR];
	row->value = (int32_t)fields[VALUE];
	row->syscall = (uint16_t)fields[SYSCALL];
	row->direction = (uint8_t)fields[DIRECTION];
	row->fast = (uint8_t)fields[FAST];
	row->data_length = (uint32_t)fields[DATA_LENGTH];
	row->data_offset = row->data_length ? (uint32_t)(kept->data_end + (uint64_t)fields[JUMP]) : 0;
}

static void keep(const struct pt_record *row, struct kept *kept)
{
	kept->time = row->time;
	if (row->data_length)
		kept->data_end = row->data_offset + row->data_length;
}

/* Rows that are alike in these mostly are in all else. */
static unsigned int slot_of(const struct pt_record *row)
{
	const uint32_t mixed = row->syscall * 5u + (uint32_t)row->fd * 3u + (uint32_t)row->tid + row->kind * 7u;

	return mixed % SLOTS;
}

static uint64_t zigzag(uint64_t difference)
{
	return difference << 1 ^ (uint64_t)((int64_t)difference >> 63);
}

static uint64_t unzigzag(uint64_t number)
{
	return number >> 1 ^ -(number & 1);
}

static uint8_t *put_number(uint8_t *to, uint64_t number)
{
	for (; number >= 0x80; number >>= 7)
		*to++ = (uint8_t)(number | 0x80);
	*to++ = (uint8_t)number;
	return to;
}

static uint64_t get_number(struct reader *from)
{
	uint64_t number = 0;

	for (unsigned int shift = 0; shift < 64 && from->at < from->end; shift += 7) {
		const uint8_t byte = *from->at++;

		number |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return number;
	}
	from->broken = true;
	return 0;
}

static uint8_t *put_row(const struct pt_record *row, struct kept *kept, uint8_t *to)
{
	int64_t fields[FIELDS], *like = kept->fields[slot_of(row)];
	uint32_t differ = 0;

	take_fields(row, kept, fields);
	for (unsigned int i = 0; i < FIELDS; i++)
		differ |= (uint32_t)(fields[i] != like[i]) << i;
	*to++ = (uint8_t)(slot_of(row) | (differ ? FIELDS_FOLLOW : 0));
	to = put_number(to, zigzag(row->time - kept->time));
	keep(row, kept);
	if (!differ)
		return to;
	to = put_number(to, differ);
	for (unsigned int i = 0; i < FIELDS; i++)
		if (differ >> i & 1)
			to = put_number(to, zigzag((uint64_t)fields[i] - (uint64_t)like[i]));
	memcpy(like, fields, sizeof(fields));
	return to;
}

int64_t pt_pack(const struct pt_record *rows, uint32_t count, uint8_t *to, uint64_t room)
{
	struct kept kept = {0};
	uint8_t *at = to;

	if (room / PT_PACKED_MOST < count)
		return -ENOSPC;
	for (uint32_t i = 0; i < count; i++)
		at = put_row(&rows[i], &kept, at);
	return at - to;
}

static void get_row(struct reader *from, struct kept *kept, struct pt_record *row)
{
	const uint8_t first = from->at < from->end ? *from->at++ : 0xff;
	int64_t *like = kept->fields[first % SLOTS];
	uint64_t differ;

	from->broken |= first >= 2 * FIELDS_FOLLOW;
	row->time = kept->time + unzigzag(get_number(from));
	differ = first & FIELDS_FOLLOW ? get_number(from) : 0;
	from->broken |= differ >> FIELDS != 0;
	for (unsigned int i = 0; i < FIELDS; i++)
		if (differ >> i & 1)
			like[i] = (int64_t)((uint64_t)like[i] + unzigzag(get_number(from)));
	give_fields(like, kept, row);
	keep(row, kept);
}

int pt_unpack(const uint8_t *packed, uint64_t length, struct pt_record *rows, uint32_t count, uint32_t data_length)
{
	struct reader from = {.at = packed, .end = packed + length};
	struct kept kept = {0};

	for (uint32_t i = 0; i < count; i++) {
		get_row(&from, &kept, &rows[i]);
		if (from.broken || rows[i].data_length > data_length ||
		    rows[i].data_offset > data_length - rows[i].data_length)
			return -EPROTO;
	}
	return from.at == from.end ? 0 : -EPROTO;
}
