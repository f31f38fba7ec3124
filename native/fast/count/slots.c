/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A record names an fd, not a socket, and it is written when the call ends. A call may block for hours; meanwhile
 * another thread closes the fd and gets the number anew. So a slot counts the calls that are under way. While there
 * are any, what the number names anew is not learnt (calls on it stop, and are counted at the stops), and the records
 * that come belong to what it named before.
 */
#include "fast/count/slots.h"

#include <stdlib.h>
#include <string.h>

#include "fast/count/fading.h"
#include "fast/count/under_way.h"
#include "fast/image/layout.h"
#include "sockets/rows.h"
#include "sockets/sockets.h"

/* Has a stub said something that is for stubs alone? */
static bool is_made(const struct slot *slot)
{
	return slot->state % FAST_STEP > FAST_STOPS && slot->state != FAST_NOTHING;
}

/* Says it of one generation: if that is over by now, or will be when it is written, nobody believes it. In this order:
 * who closes the fd reads the second word last. */
static bool write_state(const struct image *image, unsigned int fd, uint32_t generation, uint32_t state)
{
	if (state >= FAST_SOCKET && !slot_write(image, fd, FAST_SLOT_LEARNT, generation | FAST_USED))
		return false;
	return slot_write(image, fd, FAST_SLOT_STATE, state ^ generation);
}

static uint32_t state_of(const struct socket *socket)
{
	if (!socket)
		return FAST_OTHER;
	if (socket->heed != HEED_NOTHING)
		return FAST_STOPS;
	return socket_takes_addresses(socket) ? FAST_DATAGRAM : FAST_SOCKET;
}

/* Which generation the tracer's table speaks of. */
static bool note_learnt(struct image *image, unsigned int fd, uint32_t value)
{
	unsigned int size = image->learnt.size ? image->learnt.size : 64;
	uint32_t *more;

	if (fd >= image->learnt.size && value) {
		while (size <= fd)
			size *= 2;
		more = realloc(image->learnt.generations, size * sizeof(*more));
		if (!more)
			return false;
		memset(more + image->learnt.size, 0, (size - image->learnt.size) * sizeof(*more));
		image->learnt.generations = more;
		image->learnt.size = size;
	}
	if (fd < image->learnt.size)
		image->learnt.generations[fd] = value;
	return true;
}

static uint32_t noted(const struct image *image, unsigned int fd)
{
	return fd < image->learnt.size ? image->learnt.generations[fd] : 0;
}

int32_t slots_learnt(const struct image *image, unsigned int fd)
{
	return noted(image, fd) ? slot_shown(noted(image, fd)) : -1;
}

/* A socket was used that can't be learnt now: its close is to stop at least. While a stub closes the fd, which names
 * something else already, that one's generation is the next. */
static void mark_used(const struct image *image, unsigned int fd, const struct slot *slot)
{
	slot_write(image, fd, FAST_SLOT_LEARNT,
		   (slot->generation + (slot_is_closing(slot) ? FAST_STEP : 0)) | FAST_USED);
}

/* False: it is another generation by now, or about to be one. */
static bool begin_learning(struct image *image, unsigned int fd, const struct slot *slot, uint32_t generation)
{
	return !slot_is_closing(slot) && slot->generation == generation &&
	       note_learnt(image, fd, generation | FAST_USED);
}

bool slots_learn_slow(struct image *image, unsigned int fd, uint32_t generation)
{
	const struct slot slot = slot_read(image, fd < FAST_FDS ? fd : 0);

	return fd >= FAST_FDS ||
	       (begin_learning(image, fd, &slot, generation) && write_state(image, fd, generation, FAST_STOPS));
}

bool slots_learn(struct pt_tracer *t, struct image *image, unsigned int fd, struct socket *socket, uint32_t generation)
{
	struct slot slot;
	uint32_t state;

	if (fd >= FAST_FDS)
		return true; /* its calls stop anyhow */
	slot = slot_read(image, fd);
	if (!begin_learning(image, fd, &slot, generation)) {
		if (socket)
			mark_used(image, fd, &slot);
		return false;
	}
	if (slot.under_way)
		return write_state(image, fd, generation, FAST_STOPS);
	fading_end_one(t, image, fd, slot_shown(generation));
	state = state_of(socket);
	return slot_state(&slot) == state || write_state(image, fd, generation, state);
}

bool slots_forget(struct image *image, unsigned int fd, struct socket *was)
{
	uint32_t generation;

	if (fd >= FAST_FDS)
		return false;
	generation = noted(image, fd) & ~(uint32_t)FAST_USED;
	note_learnt(image, fd, 0);
	/* A stub that is about to close it, or has just done so, looks at none of these any more. */
	slot_write(image, fd, FAST_SLOT_STATE, FAST_NOTHING);
	slot_write(image, fd, FAST_SLOT_LEARNT, 0);
	slot_write(image, fd, FAST_SLOT_BORN, 0);
	if (!was || fading_of(image, fd, slot_shown(generation)) ||
	    (image->thread_count <= 1 && !under_way_any(image, fd)) || !fading_add(image, fd, was, generation))
		return false;
	/* A race with other threads: one may have begun a call before the state was written (see stub.S), or ended one
	 * since the rings were read. The order matters: a call that is not under way any more has written its record.
	 */
	return !under_way_any(image, fd);
}

void slots_left(struct image *image, unsigned int fd, struct socket *was)
{
	const uint32_t value = noted(image, fd), generation = value & ~(uint32_t)FAST_USED;

	if (value && slot_generation(image, fd) != generation && !fading_of(image, fd, slot_shown(generation)))
		fading_add(image, fd, was, generation);
}

/* Those of one read, which are next to each other. */
static void forget_touched(struct image *image, unsigned int begin, unsigned int first, unsigned int last)
{
	uint8_t bytes[1 << FAST_TOUCHED_BITS][1 << FAST_SLOT_BITS];
	struct slot slot;

	if (image_read(image, slot_address(begin), bytes, sizeof(bytes)) < 0)
		return;
	for (unsigned int i = 0; i < 1 << FAST_TOUCHED_BITS; i++) {
		memcpy(&slot, bytes[i], sizeof(slot));
		if (begin + i >= first && begin + i <= last && (slot.born || is_made(&slot)))
			slots_forget(image, begin + i, NULL);
	}
}

void slots_forget_range(struct image *image, unsigned int first, unsigned int last)
{
	uint8_t touched[FAST_TOUCHED_SIZE / 8] = {0};

	image_read(image, FAST_TOUCHED, touched, sizeof(touched));
	for (unsigned int i = first >> FAST_TOUCHED_BITS; i < FAST_TOUCHED_SIZE && i <= last >> FAST_TOUCHED_BITS; i++)
		if (touched[i / 8] >> i % 8 & 1)
			forget_touched(image, i << FAST_TOUCHED_BITS, first, last);
}

void slots_note(struct image *image, unsigned int fd, uint32_t generation, const struct socket *socket)
{
	note_learnt(image, fd, generation | FAST_USED);
	if (state_of(socket) == FAST_STOPS)
		write_state(image, fd, generation, FAST_STOPS);
}

/* A race with who closes it: that raises the generation and then reads the state, this writes the state and then reads
 * the generation. One of the two sees the other. */
bool slots_hold(const struct image *image, unsigned int fd, uint32_t generation)
{
	return slot_write(image, fd, FAST_SLOT_STATE, FAST_STOPS ^ generation) &&
	       slot_generation(image, fd) == generation;
}

void slots_let_go(const struct image *image, unsigned int fd, uint32_t generation)
{
	slot_write(image, fd, FAST_SLOT_STATE, FAST_SOCKET ^ generation);
}

bool slots_ended(struct image *image, unsigned int fd, uint32_t generation)
{
	if (noted(image, fd) != (generation | FAST_USED))
		return false;
	note_learnt(image, fd, 0);
	return true;
}

enum slots_age slots_age(const struct image *image, unsigned int fd, uint16_t shown, uint32_t *generation, bool *born)
{
	const struct slot slot = slot_read(image, fd);

	*generation = slot.generation & ~(uint32_t)FAST_STEP;
	*born = slot.born == (*generation | FAST_USED);
	if (slot_shown(*generation) != shown)
		return SLOTS_GONE;
	return slot_is_closing(&slot) ? SLOTS_LEAVING : SLOTS_SAME;
}

bool slots_stop(const struct image *image, unsigned int fd)
{
	struct slot slot;

	if (fd >= FAST_FDS)
		return true;
	slot = slot_read(image, fd);
	if (!slot_is_closing(&slot))
		return write_state(image, fd, slot.generation, FAST_STOPS);
	mark_used(image, fd, &slot);
	return false;
}

enum fast_still slots_still(const struct image *image, unsigned int fd, bool socket)
{
	struct slot slot;
	uint32_t state;

	if (fd >= FAST_FDS)
		return FAST_STANDS;
	slot = slot_read(image, fd);
	if (noted(image, fd) != ((slot.generation & ~(uint32_t)FAST_STEP) | FAST_USED))
		return FAST_CHANGED;
	if (slot_is_closing(&slot))
		return FAST_GOING;
	state = slot_state(&slot);
	if (socket && state == FAST_STOPS)
		return FAST_SLOW;
	if (socket ? state == FAST_SOCKET || state == FAST_DATAGRAM : state == FAST_OTHER)
		return FAST_STANDS;
	return FAST_CHANGED;
}

bool slots_unknown(const struct image *image, unsigned int fd)
{
	struct slot slot;

	if (fd >= FAST_FDS)
		return false;
	slot = slot_read(image, fd);
	return !slot_is_closing(&slot) && slot_state(&slot) == FAST_UNKNOWN;
}

bool slots_pass(const struct image *image, unsigned int fd)
{
	struct slot slot;
	uint32_t state;

	if (fd >= FAST_FDS)
		return false;
	slot = slot_read(image, fd);
	state = slot_state(&slot);
	return state >= FAST_OTHER && state <= FAST_DATAGRAM;
}

bool slots_unheard(const struct image *image, unsigned int fd, uint32_t generation)
{
	return slot_read(image, fd).learnt == (generation | FAST_USED) && noted(image, fd) != (generation | FAST_USED);
}
