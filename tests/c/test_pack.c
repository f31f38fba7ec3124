/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rows that are packed come back as they were, and no bytes do harm when they are read. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "ptmon_api.h"

#define ROWS 500

static uint8_t packed[ROWS * PT_PACKED_MOST];
static struct pt_record rows[ROWS], back[ROWS];

/* As good as any: xorshift. */
static uint64_t random_number(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static int64_t check_round(uint32_t count, uint32_t data_length)
{
	int64_t length = pt_pack(rows, count, packed, sizeof(packed));

	CHECK(length >= 0);
	memset(back, 0xaa, sizeof(back));
	CHECK(pt_unpack(packed, (uint64_t)length, back, count, data_length) == 0);
	CHECK(memcmp(rows, back, count * sizeof(rows[0])) == 0);
	return length;
}

/* What a program does mostly: two calls in turn. */
static void check_ping_pong(void)
{
	for (uint32_t i = 0; i < ROWS; i++)
		rows[i] = (struct pt_record){.time = 1000000000000 + i * 300,
					     .calls = 1,
					     .bytes = 1,
					     .kind = PT_TRANSFER,
					     .tgid = 4242,
					     .tid = 4242,
					     .fd = (int32_t)(3 + i % 2),
					     .socket = 1 + i % 2,
					     .syscall = (uint16_t)(7 + i % 2),
					     .direction = (uint8_t)(PT_SENT + i % 2),
					     .fast = 1};
	CHECK(check_round(ROWS, 0) <= 3 * ROWS + 64);
	CHECK(check_round(0, 0) == 0);
}

/* As after a batch was sorted: the first row's data is the last. */
static void place_data(uint32_t end)
{
	for (uint32_t i = 0; i < ROWS; i++) {
		rows[i].data_offset = rows[i].data_length ? end - rows[i].data_length : 0;
		end -= rows[i].data_length;
	}
}

static void check_any(void)
{
	uint32_t offset = 0;

	for (uint32_t i = 0; i < ROWS; i++) {
		uint64_t words[sizeof(rows[0]) / sizeof(uint64_t)];

		for (size_t word = 0; word < sizeof(words) / sizeof(words[0]); word++)
			words[word] = random_number() >> random_number() % 64;
		memcpy(&rows[i], words, sizeof(words));
		rows[i].data_length %= 1000;
		offset += rows[i].data_length;
	}
	place_data(offset);
	check_round(ROWS, offset);
	CHECK(pt_unpack(packed, (uint64_t)pt_pack(rows, ROWS, packed, sizeof(packed)), back, ROWS, offset - 1) ==
	      -EPROTO);
	CHECK(pt_pack(rows, ROWS, packed, sizeof(packed) - 1) == -ENOSPC);
}

static void check_damaged(void)
{
	const int64_t length = pt_pack(rows, ROWS, packed, sizeof(packed));
	uint8_t damaged[64];

	for (int64_t cut = 0; cut < length; cut++)
		CHECK(pt_unpack(packed, (uint64_t)cut, back, ROWS, UINT32_MAX) == -EPROTO);
	CHECK(pt_unpack(packed, (uint64_t)length, back, ROWS - 1, UINT32_MAX) == -EPROTO);
	for (int i = 0; i < 20000; i++) {
		for (size_t byte = 0; byte < sizeof(damaged); byte++)
			damaged[byte] = (uint8_t)random_number();
		pt_unpack(damaged, random_number() % sizeof(damaged), back, ROWS, 1000);
	}
}

int main(void)
{
	check_ping_pong();
	check_any();
	check_damaged();
	return 0;
}
