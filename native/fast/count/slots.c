/* SPDX-License-Identifier: GPL-2.0-only
 *
 * A record names an fd, not a socket, and it is written when the call ends. A call may block for hours; meanwhile
 * another thread closes the fd and gets the number anew. So a slot counts the calls that are under way. While there
 * are any, what the number names anew is not learnt (calls on it stop, and are counted at the stops), and the records
 * that come belong to what it named before.
 */
#include "fast/count/slots.h"

#include <stdlib.h>

#include "fast/image/layout.h"
#include "sockets/rows.h"
#include "sockets/sockets.h"

struct slot {
	uint32_t state;
	uint32_t under_way;
};

static uint64_t address_of(unsigned int fd)
{
	return FAST_SLOTS + ((uint64_t)fd << FAST_SLOT_BITS);
}

static struct slot read_slot(const struct image *image, unsigned int fd)
{
	struct slot slot = {.state = FAST_CLOSING}; /* if it can't be read: nothing is learnt */

	image_read(image, address_of(fd), &slot, sizeof(slot));
	return slot;
}

static bool write_state(const struct image *image, unsigned int fd, uint32_t state)
{
	return image_write(image, address_of(fd), &state, sizeof(state)) == 0;
}

static struct fast_fading **find_fading(struct image *image, unsigned int fd)
{
	struct fast_fading **at = &image->fading;

	while (*at && (*at)->fd != fd)
		at = &(*at)->next;
	return at;
}

static void end_fading(struct pt_tracer *t, struct fast_fading **at)
{
	struct fast_fading *one = *at;

	*at = one->next;
	one->socket->cached--;
	socket_put(t, one->socket);
	free(one);
}

static uint32_t state_of(const struct socket *socket)
{
	if (!socket)
		return FAST_OTHER;
	if (socket->heed != HEED_NOTHING)
		return FAST_STOPS;
	return socket_takes_addresses(socket) ? FAST_DATAGRAM : FAST_SOCKET;
}

bool slots_learn(struct pt_tracer *t, struct image *image, unsigned int fd, struct socket *socket)
{
	struct slot slot;
	uint32_t state;

	if (fd >= FAST_FDS)
		return true; /* its calls stop anyhow */
	slot = read_slot(image, fd);
	if (slot.state == FAST_CLOSING)
		return false;
	if (slot.under_way)
		return write_state(image, fd, FAST_STOPS);
	if (*find_fading(image, fd))
		end_fading(t, find_fading(image, fd));
	state = state_of(socket);
	return slot.state == state || write_state(image, fd, state);
}

static bool add_fading(struct image *image, unsigned int fd, struct socket *was)
{
	struct fast_fading *one = malloc(sizeof(*one));

	if (!one)
		return false; /* those records will belong to no known socket */
	*one = (struct fast_fading){.next = image->fading, .socket = was, .fd = fd};
	was->cached++;
	image->fading = one;
	return true;
}

bool slots_forget(struct image *image, unsigned int fd, struct socket *was)
{
	if (fd >= FAST_FDS)
		return false;
	/* The stub that is about to close it, or has just done so, does that itself, and until then nothing is learnt.
	 */
	if (read_slot(image, fd).state != FAST_CLOSING)
		write_state(image, fd, FAST_UNKNOWN);
	if (!was || *find_fading(image, fd) || (image->thread_count <= 1 && !slots_busy(image, fd)) ||
	    !add_fading(image, fd, was))
		return false;
	/* A race with other threads: one may have begun a call before the state was written (see stub.S), or ended one
	 * since the rings were read. The order matters: a call that is not under way any more has written its record.
	 */
	return !slots_busy(image, fd);
}

void slots_faded(struct pt_tracer *t, struct image *image, unsigned int fd)
{
	end_fading(t, find_fading(image, fd));
}

bool slots_stop(const struct image *image, unsigned int fd)
{
	return fd >= FAST_FDS || (read_slot(image, fd).state != FAST_CLOSING && write_state(image, fd, FAST_STOPS));
}

enum fast_still slots_still(const struct image *image, unsigned int fd, bool socket)
{
	uint32_t state;

	if (fd >= FAST_FDS)
		return FAST_STANDS;
	state = read_slot(image, fd).state;
	if (socket && state == FAST_STOPS)
		return FAST_SLOW;
	if (socket ? state == FAST_SOCKET || state == FAST_DATAGRAM : state == FAST_OTHER)
		return FAST_STANDS;
	return FAST_CHANGED;
}

bool slots_unknown(const struct image *image, unsigned int fd)
{
	return fd < FAST_FDS && read_slot(image, fd).state == FAST_UNKNOWN;
}

bool slots_pass(const struct image *image, unsigned int fd)
{
	const uint32_t state = fd < FAST_FDS ? read_slot(image, fd).state : FAST_UNKNOWN;

	return state >= FAST_OTHER && state <= FAST_DATAGRAM;
}

bool slots_busy(const struct image *image, unsigned int fd)
{
	return fd < FAST_FDS && read_slot(image, fd).under_way;
}

struct socket *slots_fading(const struct image *image, unsigned int fd)
{
	for (const struct fast_fading *one = image->fading; one; one = one->next)
		if (one->fd == fd)
			return one->socket;
	return NULL;
}

void slots_release(const struct image *image, unsigned int fd)
{
	struct slot slot = {0};

	/* This is not atomic, and a thread may enter a call on this fd right now. So it is done only for the single
	 * one; else the count stays too high, and the fd is slow when its number is used again. */
	if (fd >= FAST_FDS || image_read(image, address_of(fd), &slot, sizeof(slot)) < 0 || slot.under_way != 1)
		return;
	slot.under_way = 0;
	image_write(image, address_of(fd) + sizeof(slot.state), &slot.under_way, sizeof(slot.under_way));
}

void slots_end(struct pt_tracer *t, struct image *image)
{
	while (image->fading)
		end_fading(t, &image->fading);
}
