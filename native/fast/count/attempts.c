/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A connect that a stub has made: attempt.S has asked the kernel what has become of the socket. Here that becomes what
 * the two stops of the call would have given (../../calls/connect.c).
 *
 * The order: an entry becomes whole before calls on its socket may pass. So if the entries are read before the rings,
 * it is known whose these calls are. A record that is written in between waits for the next read (owner.c).
 */
#include "fast/count/attempts.h"

#include <errno.h>
#include <linux/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "fast/count/entries.h"
#include "fast/count/peers.h"
#include "fast/count/slots.h"
#include "fast/count/stamp.h"
#include "fast/count/threads.h"
#include "fast/image/layout.h"
#include "process/tracee.h"
#include "sockets/connects.h"
#include "sockets/files.h"
#include "sockets/sockets.h"

#define MAX_ERRNO 4095

/* As attempt.S writes it. */
struct entry {
	uint64_t registers[9];
	int64_t result;
	uint64_t thread;
	uint32_t fd;
	uint32_t generation;
	uint64_t since, until;
	uint32_t asked_length;
	uint32_t outcome;
	int32_t stat_result, protocol_result, local_result, peer_result, info_result;
	int32_t protocol;
	uint32_t local_length, peer_length, length;
	uint32_t unused;
	uint64_t iovecs[4];
	uint8_t local[ATTEMPT_NAME_SIZE];
	uint8_t peer[ATTEMPT_NAME_SIZE];
	uint8_t asked[ATTEMPT_ASKED_SIZE];
	uint8_t stat[144];
	uint8_t info[ATTEMPT_INFO_SIZE];
};

#define IS_AT(member, place) _Static_assert(offsetof(struct entry, member) == (place), #member)
IS_AT(result, ATTEMPT_RESULT);
IS_AT(thread, ATTEMPT_THREAD);
IS_AT(fd, ATTEMPT_FD);
IS_AT(generation, ATTEMPT_GENERATION);
IS_AT(since, ATTEMPT_SINCE);
IS_AT(asked_length, ATTEMPT_ASKED_LENGTH);
IS_AT(outcome, ATTEMPT_OUTCOME);
IS_AT(stat_result, ATTEMPT_STAT_RESULT);
IS_AT(info_result, ATTEMPT_INFO_RESULT);
IS_AT(protocol, ATTEMPT_PROTOCOL);
IS_AT(peer_length, ATTEMPT_PEER_LENGTH);
IS_AT(iovecs, ATTEMPT_IOVECS);
IS_AT(local, ATTEMPT_LOCAL);
IS_AT(peer, ATTEMPT_PEER);
IS_AT(asked, ATTEMPT_ASKED);
IS_AT(stat, ATTEMPT_STAT);
IS_AT(info, ATTEMPT_INFO);
_Static_assert(sizeof(struct entry) == ATTEMPT_END, "an entry");
_Static_assert(FAST_ATTEMPT_NEXT == FAST_ATTEMPTED + 4, "they are read together");
_Static_assert(sizeof(((struct attempt *)0)->peer) == ATTEMPT_ASKED_SIZE, "struct sockaddr");

struct fast_attempt {
	struct fast_attempt *next;
	struct entry entry;
};

/* Can a stub have written it? */
static bool is_possible(const struct entry *entry)
{
	return entry->fd < FAST_FDS && !(entry->generation & (FAST_STEP | (FAST_STEP - 1))) && entry->result <= 0 &&
	       entry->result >= -MAX_ERRNO && entry->asked_length <= ATTEMPT_ASKED_SIZE;
}

static int take(struct image *image, const void *entry)
{
	struct fast_attempt *one;

	if (!is_possible(entry))
		return -EPROTO;
	one = calloc(1, sizeof(*one));
	if (!one)
		return -ENOMEM;
	memcpy(&one->entry, entry, sizeof(one->entry));
	if (!image->attempts.first)
		image->attempts.last = &image->attempts.first;
	*image->attempts.last = one;
	image->attempts.last = &one->next;
	return 0;
}

static const struct entries kind = {
	.words = FAST_ATTEMPTED,
	.states = FAST_ATTEMPT_STATES,
	.begin = FAST_ATTEMPTS,
	.count = FAST_ATTEMPT_COUNT,
	.bits = FAST_ATTEMPT_BITS,
	.size = ATTEMPT_END,
};

int attempts_read(struct image *image)
{
	return entries_read(image, &kind, &image->attempts.seen, take);
}

int attempts_forget(const struct image *image, bool threads)
{
	return entries_forget(image, &kind, threads);
}

static void take_address(int32_t result, const uint8_t *from, uint32_t length, void *to, uint32_t *to_length)
{
	if (result != 0)
		return;
	*to_length = length < ATTEMPT_NAME_SIZE ? length : ATTEMPT_NAME_SIZE;
	memcpy(to, from, *to_length);
}

static int32_t family_of(const struct pt_socket_info *info)
{
	uint16_t family;

	if (info->local_length < sizeof(family))
		return -1;
	memcpy(&family, info->local, sizeof(family));
	return family;
}

/* One in progress may be so by now. */
static bool is_connected(const struct entry *entry)
{
	return entry->result == 0 || (entry->result == -EINPROGRESS && entry->peer_result == 0);
}

/* As identify.c does it. False: it is not known what the fd named then. */
static bool identify_entry(const struct entry *entry, struct identity *identity)
{
	struct pt_socket_info *info = &identity->info;
	struct tcp_info tcp = {0};
	struct stat st;

	memset(identity, 0, sizeof(*identity));
	memcpy(&st, entry->stat, sizeof(st));
	if (entry->outcome == FAST_OUTCOME_CHANGED || entry->stat_result != 0 || !S_ISSOCK(st.st_mode))
		return false;
	info->inode = st.st_ino;
	info->type = SOCK_STREAM;
	info->protocol = entry->protocol_result == 0 ? entry->protocol : 0;
	take_address(entry->local_result, entry->local, entry->local_length, info->local, &info->local_length);
	take_address(entry->peer_result, entry->peer, entry->peer_length, info->peer, &info->peer_length);
	info->family = family_of(info);
	if (entry->info_result == 0) {
		memcpy(&tcp, entry->info, sizeof(entry->info) < sizeof(tcp) ? sizeof(entry->info) : sizeof(tcp));
		identity->tcp = tcp_reading_of(&tcp, 0, 0);
		identity->is_tcp = true;
	}
	identity_conclude(identity);
	identity->fresh = true; /* its stub has seen that nobody had used it */
	if (is_connected(entry) && info->peer_length)
		identity_is_connected(identity);
	identity->unheeded = entry->outcome == FAST_OUTCOME_PASSES;
	return true;
}

static struct attempt attempt_of(const struct pt_tracer *t, const struct entry *entry)
{
	struct attempt attempt = {.peer_length = entry->asked_length};

	attempt.since = (int64_t)stamp_time(t, entry->since);
	attempt.until = (int64_t)stamp_time(t, entry->until);
	if (attempt.until < attempt.since)
		attempt.until = attempt.since;
	memcpy(attempt.peer, entry->asked, sizeof(attempt.peer));
	return attempt;
}

/* Calls on it pass: whose records those are. A socket that a stub has closed since is known by how it has ended. */
static void note(struct image *image, struct pt_tracer *t, const struct entry *entry, struct socket *socket)
{
	struct files *files = image->files;
	uint32_t generation;
	bool born;

	if (!files || entry->outcome != FAST_OUTCOME_PASSES ||
	    slots_age(image, entry->fd, slot_shown(entry->generation), &generation, &born) == SLOTS_GONE ||
	    generation != entry->generation)
		return;
	if (files_noted(files, (int)entry->fd))
		slots_left(image, entry->fd, files_noted(files, (int)entry->fd));
	files_found(t, files, entry->fd, socket);
	slots_note(image, entry->fd, generation, socket);
}

/* Was its peer looked at so often that it is not any more? */
static bool has_had_enough(const struct socket *socket, const struct entry *entry)
{
	return is_connected(entry) && entry->outcome == FAST_OUTCOME_LEFT && socket->heeded &&
	       socket->heed == HEED_NOTHING;
}

static void emit_attempt(struct pt_tracer *t, struct image *image, const struct entry *entry)
{
	struct tracee *tracee = threads_find(t, image, entry->thread);
	const struct attempt attempt = attempt_of(t, entry);
	const int error = (int)-entry->result;
	struct socket *socket = NULL;
	struct identity identity;

	if (!tracee || !tracee_counts(t, tracee))
		return;
	if (identify_entry(entry, &identity))
		socket = socket_found(t, tracee, (int)entry->fd, &identity);
	if (socket && socket->seen > attempt.since)
		socket->seen = attempt.since;
	connects_returned(t, tracee, (int)entry->fd, socket, &attempt, error);
	if (!socket)
		return;
	if (error == EINPROGRESS || error == EALREADY)
		connects_look_behind(t, tracee, (int)entry->fd, socket, &identity, &attempt);
	if (has_had_enough(socket, entry))
		peers_add(image, identity.info.peer, identity.info.peer_length);
	note(image, t, entry, socket);
	socket_put(t, socket);
}

static struct fast_attempt *remove_first(struct image *image)
{
	struct fast_attempt *one = image->attempts.first;

	image->attempts.first = one->next;
	return one;
}

void attempts_emit(struct pt_tracer *t, struct image *image)
{
	if (image->attempts.first)
		stamp_look(t);
	while (image->attempts.first) {
		struct fast_attempt *one = remove_first(image);

		emit_attempt(t, image, &one->entry);
		free(one);
	}
}

void attempts_drop(struct image *image)
{
	while (image->attempts.first)
		free(remove_first(image));
}

bool attempts_begun(struct pt_tracer *t, const struct image *image, unsigned int number, struct attempt *attempt,
		    uint32_t *generation)
{
	struct entry entry;

	if (image_read(image, FAST_ATTEMPTS + ((uint64_t)number << FAST_ATTEMPT_BITS), &entry, sizeof(entry)) < 0)
		return false;
	entry.result = 0; /* not yet */
	if (!is_possible(&entry))
		return false;
	stamp_look(t);
	*attempt = attempt_of(t, &entry);
	attempt->until = t->now;
	*generation = entry.generation;
	return true;
}
