/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * All threads of a process stand while its code is read, so this is made for speed: 16 bytes in each step, one
 * multiplication of 64 by 64 bits.
 */
#include "fast/scan/checksum.h"

#include <string.h>

#define STEP (2 * sizeof(uint64_t))
#define GOLDEN 0x9e3779b97f4a7c15u /* bits without a pattern */

__extension__ typedef unsigned __int128 uint128;

static uint64_t mix(uint64_t a, uint64_t b)
{
	const uint128 product = (uint128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t step(const uint8_t *bytes, uint64_t sum, uint64_t key)
{
	uint64_t words[2];

	memcpy(words, bytes, sizeof(words));
	/* Rotated and added: a factor of 0 does not wipe out what was before it. */
	return mix(words[0] ^ key, words[1] ^ sum) + (sum << 23 | sum >> 41);
}

uint64_t checksum(const uint8_t *bytes, size_t size, uint64_t key)
{
	uint64_t sum = mix(key ^ GOLDEN, size + GOLDEN);
	uint8_t rest[STEP] = {0};
	size_t at = 0;

	for (; size - at >= STEP; at += STEP)
		sum = step(bytes + at, sum, key);
	memcpy(rest, bytes + at, size - at);
	return mix(step(rest, sum, key), key ^ GOLDEN);
}

static bool is_call(const uint8_t bytes[2])
{
	return (bytes[0] == 0x0f && (bytes[1] == 0x05 || bytes[1] == 0x34)) || (bytes[0] == 0xcd && bytes[1] == 0x80);
}

static bool has_calls_after(const uint8_t *bytes, size_t size, int first)
{
	const uint8_t *at = bytes, *end = bytes + size;

	while (end - at >= 2 && (at = memchr(at, first, (size_t)(end - at - 1)))) {
		if (is_call(at))
			return true;
		at++;
	}
	return false;
}

bool checksum_has_calls(const uint8_t *bytes, size_t size)
{
	return has_calls_after(bytes, size, 0x0f) || has_calls_after(bytes, size, 0xcd);
}
