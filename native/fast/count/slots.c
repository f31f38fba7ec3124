/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A record names an fd, not a socket, and it is written when the call ends. A call may block for hours; meanwhile
 * another thread closes the fd and gets the number anew. So a slot counts the calls that are under way. While there
 * are any, what the number names anew is not learnt (calls on it stop, and are counted at the stops), and the records
 * that come belong to what it named before.
 */
#include "fast/count/slots.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "fast/image/layout.h"
#include "sockets/rows.h"
#include "sockets/sockets.h"

/* As layout.h has it. */
struct slot {
	uint32_t state;
	uint32_t under_way;
	uint32_t generation;
	uint32_t learnt;
	uint32_t born;
};

_Static_assert(offsetof(struct slot, under_way) == FAST_SLOT_UNDER_WAY &&
		       offsetof(struct slot, generation) == FAST_SLOT_GENERATION &&
		       offsetof(struct slot, learnt) == FAST_SLOT_LEARNT &&
		       offsetof(struct slot, born) == FAST_SLOT_BORN,
	       "as stub.S has them");

static uint64_t address_of(unsigned int fd)
{
	return FAST_SLOTS + ((uint64_t)fd << FAST_SLOT_BITS);
}

static struct slot read_slot(const struct image *image, unsigned int fd)
{
	struct slot slot = {.generation = FAST_STEP}; /* if it can't be read: nothing is learnt */

	image_read(image, address_of(fd), &slot, sizeof(slot));
	return slot;
}

static bool write_word(const struct image *image, unsigned int fd, unsigned int word, uint32_t value)
{
	return image_write(image, address_of(fd) + word, &value, sizeof(value)) == 0;
}

static bool is_closing(const struct slot *slot)
{
	return slot->generation & FAST_STEP;
}

static uint32_t state_now(const struct slot *slot)
{
	const uint32_t state = slot->state ^ slot->generation;

	return state <= FAST_STOPS ? state : FAST_UNKNOWN;
}

/* Has a stub said something that is for stubs alone? */
static bool is_made(const struct slot *slot)
{
	return slot->state % FAST_STEP > FAST_STOPS && slot->state != FAST_NOTHING;
}

/* Says it of one generation: if that is over by now, or will be when it is written, nobody believes it. In this order:
 * who closes the fd reads the second word last. */
static bool write_state(const struct image *image, unsigned int fd, uint32_t generation, uint32_t state)
{
	if (state >= FAST_SOCKET && !write_word(image, fd, FAST_SLOT_LEARNT, generation | FAST_USED))
		return false;
	return write_word(image, fd, FAST_SLOT_STATE, state ^ generation);
}

uint32_t slots_generation(const struct image *image, unsigned int fd)
{
	return fd < FAST_FDS ? read_slot(image, fd).generation : 0;
}

static struct fast_fading **find_fading(struct image *image, unsigned int fd, uint16_t shown)
{
	struct fast_fading **at = &image->fading;

	while (*at && ((*at)->fd != fd || slots_shown((*at)->generation) != shown))
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
	return noted(image, fd) ? slots_shown(noted(image, fd)) : -1;
}

/* A socket was used that can't be learnt now: its close is to stop at least. While a stub closes the fd, which names
 * something else already, that one's generation is the next. */
static void mark_used(const struct image *image, unsigned int fd, const struct slot *slot)
{
	write_word(image, fd, FAST_SLOT_LEARNT, (slot->generation + (is_closing(slot) ? FAST_STEP : 0)) | FAST_USED);
}

/* False: it is another generation by now, or about to be one. */
static bool begin_learning(struct image *image, unsigned int fd, const struct slot *slot, uint32_t generation)
{
	return !is_closing(slot) && slot->generation == generation && note_learnt(image, fd, generation | FAST_USED);
}

bool slots_learn_slow(struct image *image, unsigned int fd, uint32_t generation)
{
	const struct slot slot = read_slot(image, fd < FAST_FDS ? fd : 0);

	return fd >= FAST_FDS ||
	       (begin_learning(image, fd, &slot, generation) && write_state(image, fd, generation, FAST_STOPS));
}

bool slots_learn(struct pt_tracer *t, struct image *image, unsigned int fd, struct socket *socket, uint32_t generation)
{
	struct slot slot;
	uint32_t state;

	if (fd >= FAST_FDS)
		return true; /* its calls stop anyhow */
	slot = read_slot(image, fd);
	if (!begin_learning(image, fd, &slot, generation)) {
		if (socket)
			mark_used(image, fd, &slot);
		return false;
	}
	if (slot.under_way)
		return write_state(image, fd, generation, FAST_STOPS);
	if (*find_fading(image, fd, slots_shown(generation)))
		end_fading(t, find_fading(image, fd, slots_shown(generation)));
	state = state_of(socket);
	return state_now(&slot) == state || write_state(image, fd, generation, state);
}

static bool add_fading(struct image *image, unsigned int fd, struct socket *was, uint32_t generation)
{
	struct fast_fading *one = malloc(sizeof(*one));

	if (!one)
		return false; /* those records will belong to no known socket */
	*one = (struct fast_fading){.next = image->fading, .socket = was, .fd = fd, .generation = generation};
	was->cached++;
	image->fading = one;
	return true;
}

bool slots_forget(struct image *image, unsigned int fd, struct socket *was)
{
	uint32_t generation;

	if (fd >= FAST_FDS)
		return false;
	generation = noted(image, fd) & ~(uint32_t)FAST_USED;
	note_learnt(image, fd, 0);
	/* A stub that is about to close it, or has just done so, looks at none of these any more. */
	write_word(image, fd, FAST_SLOT_STATE, FAST_NOTHING);
	write_word(image, fd, FAST_SLOT_LEARNT, 0);
	write_word(image, fd, FAST_SLOT_BORN, 0);
	if (!was || slots_fading(image, fd, slots_shown(generation)) ||
	    (image->thread_count <= 1 && !slots_busy(image, fd)) || !add_fading(image, fd, was, generation))
		return false;
	/* A race with other threads: one may have begun a call before the state was written (see stub.S), or ended one
	 * since the rings were read. The order matters: a call that is not under way any more has written its record.
	 */
	return !slots_busy(image, fd);
}

void slots_faded(struct pt_tracer *t, struct image *image, unsigned int fd)
{
	struct fast_fading **at = &image->fading;

	while (*at && (*at)->fd != fd)
		at = &(*at)->next;
	end_fading(t, at); /* the last one of this fd is the first in the list */
}

void slots_left(struct image *image, unsigned int fd, struct socket *was)
{
	const uint32_t value = noted(image, fd), generation = value & ~(uint32_t)FAST_USED;

	if (value && slots_generation(image, fd) != generation && !slots_fading(image, fd, slots_shown(generation)))
		add_fading(image, fd, was, generation);
}

/* The generation is over when its last close has been made: by then its records are written, and how it has ended. What
 * was read after that was seen has all of that. A drain may come within a drain (endings.c): then both get here, and
 * nothing was read since. */
void slots_tidy(struct pt_tracer *t, struct image *image)
{
	struct fast_fading **at = &image->fading;

	while (*at && !image->ended.first) {
		struct fast_fading *one = *at;

		if (one->over && one->over != image->ended.reads) {
			end_fading(t, at);
			continue;
		}
		if (!one->over && (slots_generation(image, one->fd) & ~(uint32_t)FAST_STEP) != one->generation)
			one->over = image->ended.reads;
		at = &one->next;
	}
}

/* Those of one read, which are next to each other. */
static void forget_touched(struct image *image, unsigned int begin, unsigned int first, unsigned int last)
{
	uint8_t bytes[1 << FAST_TOUCHED_BITS][1 << FAST_SLOT_BITS];
	struct slot slot;

	if (image_read(image, address_of(begin), bytes, sizeof(bytes)) < 0)
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
	return write_word(image, fd, FAST_SLOT_STATE, FAST_STOPS ^ generation) &&
	       slots_generation(image, fd) == generation;
}

void slots_let_go(const struct image *image, unsigned int fd, uint32_t generation)
{
	write_word(image, fd, FAST_SLOT_STATE, FAST_SOCKET ^ generation);
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
	const struct slot slot = read_slot(image, fd);

	*generation = slot.generation & ~(uint32_t)FAST_STEP;
	*born = slot.born == (*generation | FAST_USED);
	if (slots_shown(*generation) != shown)
		return SLOTS_GONE;
	return is_closing(&slot) ? SLOTS_LEAVING : SLOTS_SAME;
}

bool slots_stop(const struct image *image, unsigned int fd)
{
	struct slot slot;

	if (fd >= FAST_FDS)
		return true;
	slot = read_slot(image, fd);
	if (!is_closing(&slot))
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
	slot = read_slot(image, fd);
	if (noted(image, fd) != ((slot.generation & ~(uint32_t)FAST_STEP) | FAST_USED))
		return FAST_CHANGED;
	if (is_closing(&slot))
		return FAST_GOING;
	state = state_now(&slot);
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
	slot = read_slot(image, fd);
	return !is_closing(&slot) && state_now(&slot) == FAST_UNKNOWN;
}

bool slots_pass(const struct image *image, unsigned int fd)
{
	struct slot slot;
	uint32_t state;

	if (fd >= FAST_FDS)
		return false;
	slot = read_slot(image, fd);
	state = state_now(&slot);
	return state >= FAST_OTHER && state <= FAST_DATAGRAM;
}

bool slots_busy(const struct image *image, unsigned int fd)
{
	return fd < FAST_FDS && read_slot(image, fd).under_way;
}

struct socket *slots_fading(const struct image *image, unsigned int fd, uint16_t shown)
{
	for (const struct fast_fading *one = image->fading; one; one = one->next)
		if (one->fd == fd && slots_shown(one->generation) == shown)
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
	write_word(image, fd, FAST_SLOT_UNDER_WAY, 0);
}

void slots_end_closing(const struct image *image, unsigned int fd, bool made)
{
	struct slot slot;

	if (fd >= FAST_FDS)
		return;
	/* Nobody else changes the generation while it is odd. */
	slot = read_slot(image, fd);
	if (!is_closing(&slot))
		return;
	/* It may have been marked for the next one meanwhile; so that this one is not lost by that it counts as used.
	 */
	if (!made)
		write_word(image, fd, FAST_SLOT_LEARNT, (slot.generation - FAST_STEP) | FAST_USED);
	write_word(image, fd, FAST_SLOT_GENERATION, made ? slot.generation + FAST_STEP : slot.generation - FAST_STEP);
}

/* Only the thread that connects it changes what stands there, and stops do. */
void slots_end_connecting(const struct image *image, unsigned int fd, uint32_t generation, bool begun)
{
	struct slot slot;
	uint32_t state;

	if (fd >= FAST_FDS)
		return;
	slot = read_slot(image, fd);
	state = slot.state ^ slot.generation;
	if (slot.generation != generation || (state != FAST_CONNECTING && state != FAST_CONNECTED))
		return;
	if (begun)
		write_word(image, fd, FAST_SLOT_LEARNT, generation | FAST_USED);
	write_word(image, fd, FAST_SLOT_STATE, begun ? FAST_NOTHING : FAST_MADE ^ generation);
}

bool slots_unheard(const struct image *image, unsigned int fd, uint32_t generation)
{
	return read_slot(image, fd).learnt == (generation | FAST_USED) && noted(image, fd) != (generation | FAST_USED);
}

void slots_end(struct pt_tracer *t, struct image *image)
{
	while (image->fading)
		end_fading(t, &image->fading);
}
