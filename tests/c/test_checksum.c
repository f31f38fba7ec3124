/* SPDX-License-Identifier: GPL-2.0-or-later
 * Checksums of code: each byte counts, and so do its place, the length and the key. Calls are found wherever they are.
 */
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "fast/scan/checksum.h"

static void check_sums(void)
{
	uint8_t bytes[70] = {0};

	for (size_t size = 0; size <= sizeof(bytes); size++) {
		const uint64_t sum = checksum(bytes, size, 7);

		CHECK(sum == checksum(bytes, size, 7) && sum != checksum(bytes, size, 8));
		CHECK(size == 0 || sum != checksum(bytes, size - 1, 7));
		for (size_t i = 0; i < size; i++) {
			bytes[i] ^= 0x40;
			CHECK(sum != checksum(bytes, size, 7));
			bytes[i] ^= 0x40;
		}
	}
	memcpy(bytes, "0123456789abcdefghijklmnopqrstuv", 32);
	CHECK(checksum(bytes, 32, 7) != checksum((const uint8_t *)"ghijklmnopqrstuv0123456789abcdef", 32, 7));
}

static void check_calls(void)
{
	static const uint8_t calls[][2] = {{0x0f, 0x05}, {0x0f, 0x34}, {0xcd, 0x80}};
	uint8_t bytes[64];

	memset(bytes, 0x0f, sizeof(bytes));
	CHECK(!checksum_has_calls(bytes, sizeof(bytes)));
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		for (size_t at = 0; at + 2 <= sizeof(bytes); at++) {
			memset(bytes, 0xcd, sizeof(bytes));
			memcpy(bytes + at, calls[i], 2);
			CHECK(checksum_has_calls(bytes, sizeof(bytes)));
			/* A half of it at the end is none. */
			CHECK(!checksum_has_calls(bytes, at + 1));
		}
	}
}

int main(void)
{
	check_sums();
	check_calls();
	return 0;
}
