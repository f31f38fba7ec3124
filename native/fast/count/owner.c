/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fast/count/owner.h"
#include "fast/count/fading.h"

#include <errno.h>

#include "fast/count/endings.h"
#include "fast/count/slots.h"
#include "machine/pidfd.h"
#include "sockets/files.h"
#include "sockets/sockets.h"

/* What an fd names that a stub has accepted. As identify(); -EAGAIN: it may not be looked at now. It is held meanwhile:
 * if the program closed it while there is a duplicate here, that would be closed last, and might linger. */
static int find_born(struct pt_tracer *t, struct image *image, unsigned int fd, uint32_t generation,
		     struct identity *identity)
{
	struct files *files = image->files;
	int found = -EAGAIN;

	if (slots_hold(image, fd, generation))
		found = identify(image->reader, pidfd_get(t, files, image->reader), (int)fd, identity);
	/* A thread that has exited has no fds any more, but for the kernel it is not gone yet. */
	if (found == -EBADF && files->pidfd_tid != image->reader)
		found = identify(image->reader, -1, (int)fd, identity);
	slots_let_go(image, fd, generation);
	if (found == 1)
		identity_is_accepted(identity);
	return found;
}

static enum miss miss_of(enum slots_age age, int found)
{
	if (age == SLOTS_SAME)
		return found == 0 || found == -EBADF ? MISS_NONE : MISS_OPEN;
	return age == SLOTS_GONE ? MISS_CLOSED : MISS_OPEN;
}

/* What fd names, asked of the kernel: true if its generation is the same behind that. Else NULL. */
static struct socket *look(struct pt_tracer *t, struct image *image, struct tracee *tracee,
			   const struct records_sum *sum, enum miss *miss)
{
	struct socket *socket = NULL;
	struct identity identity;
	uint32_t generation, after;
	bool born;
	enum slots_age age = slots_age(image, sum->fd, sum->generation, &generation, &born);
	int found = -ENOENT;

	/* A stub has connected it since the attempts were read: the next time it is known. */
	if (age != SLOTS_GONE && !born && !sum->unheard && slots_unheard(image, sum->fd, generation)) {
		*miss = MISS_UNHEARD;
		return NULL;
	}
	if (age != SLOTS_GONE && image->files)
		found = born ? find_born(t, image, sum->fd, generation, &identity)
			     : files_lookup(t, tracee, sum->fd, &socket);
	if (age != SLOTS_GONE)
		age = slots_age(image, sum->fd, sum->generation, &after, &born);
	*miss = miss_of(age, found);
	if (found != 1 || age != SLOTS_SAME || after != generation)
		return NULL;
	if (!born)
		return socket;
	socket = socket_found(t, tracee, sum->fd, &identity);
	if (socket) {
		if (files_noted(image->files, sum->fd))
			slots_left(image, sum->fd, files_noted(image->files, sum->fd));
		files_found(t, image->files, sum->fd, socket);
		slots_note(image, sum->fd, generation, socket);
	}
	return socket;
}

struct socket *owner_find(struct pt_tracer *t, struct image *image, struct tracee *tracee,
			  const struct records_sum *sum, enum miss *miss)
{
	struct socket *socket = endings_find(t, image, tracee, sum->fd, sum->generation);

	if (!socket)
		socket = fading_of(image, sum->fd, sum->generation);
	if (!socket && image->files && slots_learnt(image, sum->fd) == sum->generation)
		socket = files_noted(image->files, sum->fd);
	return socket ? socket : look(t, image, tracee, sum, miss);
}
