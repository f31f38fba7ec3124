/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fast/count/fading.h"

#include <stdlib.h>

#include "fast/count/slot.h"
#include "sockets/sockets.h"

static void let_go(struct pt_tracer *t, struct fast_fading **at)
{
	struct fast_fading *one = *at;

	*at = one->next;
	one->socket->cached--;
	socket_put(t, one->socket);
	free(one);
}

bool fading_add(struct image *image, unsigned int fd, struct socket *was, uint32_t generation)
{
	struct fast_fading *one = malloc(sizeof(*one));

	if (!one)
		return false; /* those records will belong to no known socket */
	*one = (struct fast_fading){.next = image->fading, .socket = was, .fd = fd, .generation = generation};
	was->cached++;
	image->fading = one;
	return true;
}

void fading_end_one(struct pt_tracer *t, struct image *image, unsigned int fd, uint16_t shown)
{
	struct fast_fading **at = &image->fading;

	while (*at && ((*at)->fd != fd || slot_shown((*at)->generation) != shown))
		at = &(*at)->next;
	if (*at)
		let_go(t, at);
}

void fading_end_last(struct pt_tracer *t, struct image *image, unsigned int fd)
{
	struct fast_fading **at = &image->fading;

	while (*at && (*at)->fd != fd)
		at = &(*at)->next;
	let_go(t, at);
}

/* The generation is over when its last close has been made: by then its records are written, and how it has ended. What
 * was read after that was seen has all of that. A drain may come within a drain (endings.c): then both get here, and
 * nothing was read since. */
void fading_tidy(struct pt_tracer *t, struct image *image)
{
	struct fast_fading **at = &image->fading;

	while (*at && !image->ended.first) {
		struct fast_fading *one = *at;

		if (one->over && one->over != image->ended.reads) {
			let_go(t, at);
			continue;
		}
		if (!one->over && (slot_generation(image, one->fd) & ~(uint32_t)FAST_STEP) != one->generation)
			one->over = image->ended.reads;
		at = &one->next;
	}
}

struct socket *fading_of(const struct image *image, unsigned int fd, uint16_t shown)
{
	for (const struct fast_fading *one = image->fading; one; one = one->next)
		if (one->fd == fd && slot_shown(one->generation) == shown)
			return one->socket;
	return NULL;
}

void fading_end(struct pt_tracer *t, struct image *image)
{
	while (image->fading)
		let_go(t, &image->fading);
}
