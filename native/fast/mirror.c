/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * An image's slots mirror the fd table of its process (../sockets/files.c): what is learnt of an fd, or forgotten,
 * comes here.
 */
#include <errno.h>

#include "fast/count/drain.h"
#include "fast/count/fading.h"
#include "fast/count/slots.h"
#include "fast/count/under_way.h"
#include "fast/door.h"
#include "fast/image/layout.h"

/* The image whose slots mirror this table. NULL, too, where nobody runs its stubs any more and it can't be read
 * (door_hides): then what is known of an fd is true until its close, which stops. */
static struct image *mirror(const struct files *files)
{
	struct image *image = files->image;
	uint64_t magic;

	if (!image || image->stage == IMAGE_CLOSED)
		return NULL;
	return image->stage >= IMAGE_WITHDRAWN && image_read(image, FAST_MAGIC, &magic, sizeof(magic)) == -EPERM
		       ? NULL
		       : image;
}

uint32_t door_look(const struct files *files, unsigned int fd)
{
	const struct image *image = mirror(files);

	return image ? slot_generation(image, fd) : 0;
}

bool door_learn(struct pt_tracer *t, struct files *files, unsigned int fd, struct socket *socket, uint32_t looked)
{
	struct image *image = mirror(files);

	if (!image)
		return true;
	/* The last call on what the fd named before may have ended just now: its record is read first. While records
	 * are being read (a look-up on the way leads here) that can't be; then the fd is learnt another time. */
	if (fading_of(image, fd, slot_shown(looked))) {
		if (image->draining || under_way_any(image, fd))
			return slots_learn_slow(image, fd, looked);
		drain_now(t, image);
	}
	return slots_learn(t, image, fd, socket, looked);
}

void door_stop(const struct files *files, unsigned int fd)
{
	struct image *image = mirror(files);

	if (image)
		slots_stop(image, fd);
}

void door_forget(struct pt_tracer *t, struct files *files, unsigned int fd, struct socket *was)
{
	struct image *image = mirror(files);

	if (!image || !slots_forget(image, fd, was))
		return;
	drain_now(t, image);
	fading_end_last(t, image, fd);
}

void door_left(const struct files *files, unsigned int fd, struct socket *was)
{
	struct image *image = mirror(files);

	if (image)
		slots_left(image, fd, was);
}

void door_forget_range(const struct files *files, unsigned int first, unsigned int last)
{
	struct image *image = mirror(files);

	if (!image)
		return;
	if (files->unsure && image->stage < IMAGE_WITHDRAWN) {
		image->own_flags |= FAST_NO_BIRTHS;
		image_set_flags(image, image->flags | FAST_NO_BIRTHS);
	}
	slots_forget_range(image, first, last);
}

enum fast_still door_still(const struct files *files, unsigned int fd, bool socket)
{
	const struct image *image = mirror(files);

	return image ? slots_still(image, fd, socket) : FAST_STANDS;
}

bool door_busy(const struct files *files, unsigned int fd)
{
	const struct image *image = mirror(files);

	return image && !image->leaving && under_way_any(image, fd);
}

void door_table_gone(struct files *files)
{
	if (files->image)
		files->image->files = NULL;
}
