/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A socket that a stub closes ends without a stop: ending.S has asked the kernel what it is, and for its counters. Here
 * that becomes what a look at the fd would have given (../../sockets/identify.c).
 *
 * The order: an entry becomes whole when all calls on its fd have written their records, and before the close. So if
 * the entries are read before the rings, the sums are complete that the counters are compared with; and what the fd
 * names after the close is another generation of it.
 */
#include "fast/count/endings.h"
#include "fast/count/fading.h"

#include <errno.h>
#include <linux/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "fast/count/entries.h"
#include "fast/count/slots.h"
#include "fast/count/threads.h"
#include "fast/image/layout.h"
#include "sockets/connects.h"
#include "sockets/files.h"
#include "sockets/rows.h"
#include "sockets/sockets.h"
#include "state/door.h"

/* As ending.S writes it. */
struct ending {
	uint64_t registers[6];
	uint64_t thread;
	uint32_t fd;
	uint32_t generation;
	int32_t stat_result, domain_result, type_result, protocol_result, local_result, peer_result, was_result,
		info_result, outq_result, inq_result;
	int32_t domain, type, protocol;
	uint32_t local_length, peer_length, was_length;
	int32_t outq, inq;
	uint32_t length, readings;
	uint64_t acked, received;
	uint32_t state;
	uint32_t born;
	uint8_t was[32];
	uint8_t stat[144];
	uint8_t local[ENDING_ADDRESS_SIZE];
	uint8_t peer[ENDING_ADDRESS_SIZE];
	uint8_t info[ENDING_INFO_SIZE];
};

_Static_assert(FAST_ENDING_FREE == 0, "an array of zeros frees entries");
#define IS_AT(member, place) _Static_assert(offsetof(struct ending, member) == (place), #member)
IS_AT(thread, ENDING_THREAD);
IS_AT(fd, ENDING_FD);
IS_AT(generation, ENDING_GENERATION);
IS_AT(stat_result, ENDING_STAT_RESULT);
IS_AT(inq_result, ENDING_INQ_RESULT);
IS_AT(domain, ENDING_DOMAIN);
IS_AT(local_length, ENDING_LOCAL_LENGTH);
IS_AT(outq, ENDING_OUTQ);
IS_AT(inq, ENDING_INQ);
IS_AT(born, ENDING_BORN);
IS_AT(was, ENDING_WAS);
IS_AT(stat, ENDING_STAT);
IS_AT(local, ENDING_LOCAL);
IS_AT(peer, ENDING_PEER);
IS_AT(info, ENDING_INFO);
_Static_assert(FAST_ENDING_NEXT == FAST_ENDED + 4, "they are read together");
_Static_assert(sizeof(struct ending) == ENDING_END, "an entry");
_Static_assert(sizeof(struct stat) == sizeof(((struct ending *)0)->stat), "struct stat of the kernel");
_Static_assert(offsetof(struct tcp_info, tcpi_bytes_retrans) + 8 <= ENDING_INFO_SIZE, "what tcp.c reads");

/* From one thing that the kernel says of it to the other: as identify.c has it. */
static void take_address(int32_t result, const uint8_t *from, uint32_t length, void *to, uint32_t most,
			 uint32_t *to_length)
{
	if (result != 0)
		return;
	*to_length = length < most ? length : most;
	memcpy(to, from, *to_length);
}

static void take_counters(const struct ending *ending, struct identity *identity)
{
	const bool queues = ending->outq_result == 0 && ending->inq_result == 0; /* a listening socket has none */
	struct tcp_info info = {0};

	if (ending->info_result != 0)
		return;
	memcpy(&info, ending->info, sizeof(ending->info) < sizeof(info) ? sizeof(ending->info) : sizeof(info));
	identity->tcp = tcp_reading_of(&info, queues ? ending->outq : 0, queues ? ending->inq : 0);
	identity->is_tcp = true;
}

static int identify_ending(const struct ending *ending, struct identity *identity)
{
	struct pt_socket_info *info = &identity->info;
	struct stat st;

	memset(identity, 0, sizeof(*identity));
	memcpy(&st, ending->stat, sizeof(st));
	if (ending->stat_result != 0)
		return ending->stat_result < 0 ? ending->stat_result : -EPROTO;
	if (!S_ISSOCK(st.st_mode))
		return 0;
	info->inode = st.st_ino;
	info->family = ending->domain_result == 0 ? ending->domain : -1;
	info->type = ending->type;
	info->protocol = ending->protocol;
	take_address(ending->local_result, ending->local, ending->local_length, info->local, sizeof(info->local),
		     &info->local_length);
	take_address(ending->peer_result, ending->peer, ending->peer_length, info->peer, sizeof(info->peer),
		     &info->peer_length);
	if (info->family == AF_INET || info->family == AF_INET6)
		take_address(ending->was_result, ending->was, ending->was_length, identity->was, sizeof(identity->was),
			     &identity->was_length);
	take_counters(ending, identity);
	identity_conclude(identity);
	if (ending->born == (ending->generation | FAST_USED))
		identity_is_accepted(identity);
	return 1;
}

static struct fast_ended **bucket_of(struct image *image, unsigned int fd, uint16_t shown)
{
	return &image->ended.buckets[(fd + 31u * shown) % FAST_ENDED_BUCKETS];
}

static void add(struct image *image, struct fast_ended *one)
{
	struct fast_ended **bucket = bucket_of(image, one->fd, slot_shown(one->generation));

	if (!image->ended.first)
		image->ended.last = &image->ended.first;
	*image->ended.last = one;
	image->ended.last = &one->next;
	one->alike = *bucket;
	*bucket = one;
}

/* The oldest one. */
static struct fast_ended *remove_first(struct image *image)
{
	struct fast_ended *one = image->ended.first;
	struct fast_ended **at = bucket_of(image, one->fd, slot_shown(one->generation));

	while (*at != one)
		at = &(*at)->alike;
	*at = one->alike;
	image->ended.first = one->next;
	return one;
}

static int take(struct image *image, const void *entry)
{
	const struct ending *ending = entry;
	struct fast_ended *one;

	if (ending->fd >= FAST_FDS || ending->generation & (FAST_STEP | (FAST_STEP - 1)))
		return -EPROTO;
	one = calloc(1, sizeof(*one));
	if (!one)
		return -ENOMEM;
	one->fd = ending->fd;
	one->generation = ending->generation;
	one->thread = ending->thread;
	one->found = identify_ending(ending, &one->identity);
	add(image, one);
	return 0;
}

static const struct entries kind = {
	.words = FAST_ENDED,
	.states = FAST_ENDING_STATES,
	.begin = FAST_ENDINGS,
	.count = FAST_ENDING_COUNT,
	.bits = FAST_ENDING_BITS,
	.size = ENDING_END,
};

int endings_read(struct image *image)
{
	if (!++image->ended.reads)
		image->ended.reads++; /* 0 is none */
	return entries_read(image, &kind, &image->ended.seen, take);
}

int endings_forget(const struct image *image, bool threads)
{
	return entries_forget(image, &kind, threads);
}

static struct socket *socket_of(struct pt_tracer *t, struct tracee *tracee, struct fast_ended *ended)
{
	if (ended->socket || ended->found != 1)
		return ended->socket;
	ended->socket = socket_found(t, tracee, (int)ended->fd, &ended->identity);
	if (ended->socket)
		ended->socket->cached++;
	return ended->socket;
}

struct socket *endings_find(struct pt_tracer *t, struct image *image, struct tracee *tracee, unsigned int fd,
			    uint16_t shown)
{
	for (struct fast_ended *one = *bucket_of(image, fd, shown); one; one = one->alike)
		if (one->fd == fd && slot_shown(one->generation) == shown)
			return socket_of(t, tracee, one);
	return NULL;
}

static void free_ended(struct pt_tracer *t, struct fast_ended *ended)
{
	if (ended->socket) {
		ended->socket->cached--;
		socket_put(t, ended->socket);
	}
	free(ended);
}

/* What a stop before the close would have emitted. Where the tracer knew nothing of the fd, and nothing was counted on
 * it, that is nothing. But where others share the table a stop may have counted something while the fd could not be
 * learnt (files_close). */
static void emit_end(struct pt_tracer *t, struct image *image, struct fast_ended *ended)
{
	struct tracee *tracee = threads_find(t, image, ended->thread);
	const bool known = slots_ended(image, ended->fd, ended->generation) && image->files;

	if (tracee && ((known && files_noted(image->files, (int)ended->fd)) ||
		       (!ended->socket && image->files && image->files->users > 1) ||
		       fading_of(image, ended->fd, slot_shown(ended->generation))))
		socket_of(t, tracee, ended);
	if (known)
		files_ended(t, image->files, ended->fd);
	if (!tracee || !ended->socket)
		return;
	/* Another process may have counted calls on it in its own stubs: as at a stop. */
	if (ended->socket->cached > 1)
		fast_drain(t);
	connects_closing(t, tracee, (int)ended->fd, ended->socket);
	socket_ended(t, tracee, (int)ended->fd, ended->socket, &ended->identity);
}

void endings_emit(struct pt_tracer *t, struct image *image)
{
	/* What others' rings hold is wanted for one of these: their ends come later. */
	if (t->fast_state.ending)
		return;
	t->fast_state.ending = true;
	/* Some have come since the stop that is handled: threads may have been brought to a stop meanwhile. None was
	 * closed before it was. */
	if (image->ended.first)
		t->now = now_ns();
	while (image->ended.first) {
		struct fast_ended *ended = remove_first(image);

		emit_end(t, image, ended);
		free_ended(t, ended);
	}
	t->fast_state.ending = false;
}

void endings_drop(struct pt_tracer *t, struct image *image)
{
	while (image->ended.first)
		free_ended(t, remove_first(image));
}
