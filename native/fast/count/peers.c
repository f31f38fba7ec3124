/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fast/count/peers.h"

#include <string.h>

#include "fast/image/layout.h"

#define WORDS ((1 << FAST_PEER_BITS) / 8)
_Static_assert(ATTEMPT_NAME_SIZE == 1 << FAST_PEER_BITS, "they are compared");

/* As attempt.S has it. */
static uint32_t row_of(const uint64_t words[WORDS])
{
	uint64_t all = 0;

	for (unsigned int i = 0; i < WORDS; i++)
		all ^= words[i];
	all = (uint32_t)(all ^ all >> 32);
	return (uint32_t)(all ^ all >> 16) % FAST_PEER_COUNT;
}

void peers_add(const struct image *image, const uint8_t *peer, uint32_t length)
{
	uint64_t words[WORDS] = {0};

	if (length > sizeof(words))
		return;
	memcpy(words, peer, length);
	image_write(image, FAST_PEERS + ((uint64_t)row_of(words) << FAST_PEER_BITS), words, sizeof(words));
}

int peers_forget_all(const struct image *image)
{
	uint8_t rows[FAST_PEER_COUNT << FAST_PEER_BITS];
	int error = image_read(image, FAST_PEERS, rows, sizeof(rows));
	bool any = false;

	for (unsigned int i = 0; i < sizeof(rows) && !error; i++)
		any |= rows[i] != 0;
	memset(rows, 0, sizeof(rows));
	return error || !any ? error : image_write(image, FAST_PEERS, rows, sizeof(rows));
}
