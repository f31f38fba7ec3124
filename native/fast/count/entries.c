/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fast/count/entries.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fast/image/layout.h"

#define MOST FAST_ENDING_COUNT
_Static_assert(FAST_ATTEMPT_COUNT <= MOST, "of either kind");
_Static_assert(FAST_ENDING_FREE == FAST_ATTEMPT_FREE && FAST_ENDING_TAKEN == FAST_ATTEMPT_TAKEN &&
		       FAST_ENDING_WHOLE == FAST_ATTEMPT_WHOLE && FAST_ENDING_FREE == 0,
	       "they have the same states");

/* So many from this one on are whole. */
static unsigned int run_of(const uint32_t *states, unsigned int count, unsigned int first)
{
	unsigned int length = 0;

	while (first + length < count && states[first + length] == FAST_ENDING_WHOLE)
		length++;
	return length;
}

/* Those are read and given back together: a process may open and close many between two drains. */
static int read_run(struct image *image, const struct entries *kind, unsigned int first, unsigned int length,
		    int (*take)(struct image *image, const void *entry))
{
	static const uint32_t free_again[MOST];
	const size_t size = ((size_t)(length - 1) << kind->bits) + kind->size;
	uint8_t *bytes = malloc(size);
	unsigned int taken = 0;
	int error = bytes ? image_read(image, kind->begin + ((uint64_t)first << kind->bits), bytes, size) : -ENOMEM;

	while (!error && taken < length) {
		error = take(image, bytes + ((size_t)taken << kind->bits));
		taken += !error;
	}
	free(bytes);
	if (taken && (!error || error == -ENOMEM)) {
		const int written = image_write(image, kind->states + first * sizeof(free_again[0]), free_again,
						taken * sizeof(free_again[0]));

		error = written ? written : error;
	}
	return error;
}

int entries_read(struct image *image, const struct entries *kind, struct fast_entries_seen *seen,
		 int (*take)(struct image *image, const void *entry))
{
	uint32_t states[MOST];
	struct {
		uint32_t taken;
		uint32_t next;
	} words;
	unsigned int length;
	int error = image_read(image, kind->words, &words, sizeof(words));

	if (error || (words.taken == seen->taken && !seen->outstanding))
		return error;
	error = image_read(image, kind->states, states, kind->count * sizeof(states[0]));
	if (error)
		return error;
	/* A race with their threads: one that was counted until then has taken its entry, but may not have written it
	 * all; then the entries are looked at again. */
	seen->outstanding = false;
	for (unsigned int i = 0; i < kind->count && !error; i += length) {
		const unsigned int number = (words.next + i) % kind->count;

		length = run_of(states, kind->count, number);
		if (length > kind->count - i)
			length = kind->count - i;
		if (length) {
			error = read_run(image, kind, number, length, take);
			continue;
		}
		length = 1;
		if (states[number] > FAST_ENDING_TAKEN)
			error = -EPROTO;
		seen->outstanding |= states[number] == FAST_ENDING_TAKEN;
	}
	seen->outstanding |= error == -ENOMEM;
	seen->taken = words.taken;
	return error == -ENOMEM ? 0 : error;
}

int entries_forget(const struct image *image, const struct entries *kind, bool threads)
{
	uint32_t states[MOST];
	const size_t size = kind->count * sizeof(states[0]);
	int error = image_read(image, kind->states, states, size);
	bool any = false;

	for (unsigned int i = 0; i < kind->count && !error; i++) {
		any |= states[i] != FAST_ENDING_FREE;
		if (!threads || states[i] != FAST_ENDING_TAKEN)
			states[i] = FAST_ENDING_FREE;
	}
	return error || !any ? error : image_write(image, kind->states, states, size);
}
