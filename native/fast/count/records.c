/* SPDX-License-Identifier: GPL-2.0-only */
#include "fast/count/records.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "calls/transfer.h"
#include "fast/count/distrust.h"
#include "fast/count/endings.h"
#include "fast/count/explain.h"
#include "fast/count/slots.h"
#include "fast/count/stamp.h"
#include "fast/count/threads.h"
#include "fast/image/layout.h"
#include "machine/pidfd.h"
#include "process/tracee.h"
#include "records/emit.h"
#include "sockets/closing.h"
#include "sockets/files.h"
#include "sockets/sockets.h"

#define PROBES 8
#define PENDING_MOST 4096

/* What a call that counts may return, include/linux/fs.h and include/linux/err.h of the kernel. */
#define MAX_RW_COUNT 0x7ffff000
#define MAX_ERRNO 4095

/* Can a stub have written it? Else the program has, and nothing behind this knows what to do with it. */
static bool is_possible(const struct fast_record *record)
{
	unsigned int i = FAST_CLOSES;

	while (i < FAST_CALLS && fast_calls[i] != record->number)
		i++;
	/* While a call is under way nobody is closing its fd. */
	return i < FAST_CALLS && !(record->generation & 1) && record->result >= -MAX_ERRNO &&
	       record->result <= MAX_RW_COUNT;
}

/* CLOCK_MONOTONIC. */
static uint64_t time_of(const struct pt_tracer *t, const struct image *image, uint64_t tsc)
{
	return image->flags & FAST_TIMED ? stamp_time(t, tsc) : (uint64_t)t->now;
}

static struct records_sum sum_of(const struct fast_record *record)
{
	return (struct records_sum){
		.fd = record->fd,
		.generation = record->generation,
		.number = record->number,
		.error = record->result < 0 ? (int)-record->result : 0,
		.thread = record->thread,
		.calls = 1,
		.bytes = record->result > 0 ? (uint64_t)record->result : 0,
	};
}

/* Why a socket is not known. */
enum miss {
	MISS_OPEN,   /* it may be at another time */
	MISS_CLOSED, /* the fd has been closed since: what a stub has written of that is to be read */
	MISS_NONE    /* it never will be */
};

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

static struct socket *socket_of(struct pt_tracer *t, struct image *image, struct tracee *tracee,
				const struct records_sum *sum, enum miss *miss)
{
	struct socket *socket = endings_find(t, image, tracee, sum->fd, sum->generation);

	if (!socket)
		socket = slots_fading(image, sum->fd, sum->generation);
	if (!socket && image->files && slots_learnt(image, sum->fd) == sum->generation)
		socket = files_noted(image->files, sum->fd);
	return socket ? socket : look(t, image, tracee, sum, miss);
}

/* Its socket can't be known yet: a thread is about to close the fd, or has done so since the endings were read. True:
 * it is tried again. */
static bool keep(struct image *image, const struct records_sum *sum, enum miss miss)
{
	struct records_sum *more;

	if (miss == MISS_NONE || (miss == MISS_CLOSED && sum->missed) || image->pending.count == PENDING_MOST)
		return false;
	more = realloc(image->pending.sums, (image->pending.count + 1) * sizeof(*more));
	if (!more)
		return false;
	image->pending.sums = more;
	more[image->pending.count] = *sum;
	more[image->pending.count++].missed = miss == MISS_CLOSED;
	return true;
}

static void warn_unattributed(struct pt_tracer *t, struct tracee *tracee, const struct records_sum *sum)
{
	emit_warning(t, tracee, PT_REASON_UNATTRIBUTED, syscall_find(ABI_NATIVE, sum->number), 0);
}

static void emit_sum(struct pt_tracer *t, struct image *image, struct tracee *tracee, const struct records_sum *sum,
		     uint64_t time)
{
	struct counted counted = {
		.entry = syscall_find(ABI_NATIVE, sum->number),
		.fd = (int)sum->fd,
		.error = sum->error,
		.calls = sum->calls,
		.bytes = sum->bytes,
		.time = time,
	};
	enum miss miss;

	if (!tracee || !counted.entry || !tracee_counts(t, tracee))
		return;
	counted.socket = socket_of(t, image, tracee, sum, &miss);
	if (!counted.socket) {
		if (!keep(image, sum, miss))
			warn_unattributed(t, tracee, sum);
		return;
	}
	explain_inside(t, image->group, sum->number, sum->calls);
	transfer_counted(t, tracee, &counted);
}

void records_try(struct pt_tracer *t, struct image *image)
{
	struct records_sum *sums = image->pending.sums;
	const unsigned int count = image->pending.count;

	image->pending.sums = NULL;
	image->pending.count = 0;
	for (unsigned int i = 0; i < count; i++)
		emit_sum(t, image, threads_find(t, image, sums[i].thread), &sums[i], (uint64_t)t->now);
	free(sums);
}

void records_give_up(struct pt_tracer *t, struct image *image)
{
	struct tracee *tracee = tracee_of_group(t, image->group->tgid, NULL);

	for (unsigned int i = 0; tracee && i < image->pending.count; i++)
		warn_unattributed(t, tracee, &image->pending.sums[i]);
	free(image->pending.sums);
	image->pending.sums = NULL;
	image->pending.count = 0;
}

static void emit_one(struct pt_tracer *t, struct image *image, struct tracee *tracee, const struct fast_record *record,
		     uint64_t time)
{
	const struct records_sum sum = sum_of(record);

	emit_sum(t, image, tracee, &sum, time);
}

void records_emit_one(struct pt_tracer *t, struct image *image, struct tracee *tracee, const struct fast_record *record,
		      uint64_t time)
{
	if (is_possible(record))
		emit_one(t, image, tracee, record, time);
	else
		distrust(t, image);
}

static void end_sum(const struct records *records, const struct records_sum *sum)
{
	struct tracee *tracee = threads_find(records->t, records->image, sum->thread);

	/* What it had written before its last stop was read at that. So the call that it stood before then is over. */
	if (tracee && tracee->fast.thread_pointer == sum->thread && tracee->files)
		closing_settle(tracee);
	emit_sum(records->t, records->image, tracee, sum, (uint64_t)records->t->now);
}

static uint64_t key_of(const struct records_sum *sum)
{
	return sum->thread ^ (uint64_t)sum->fd << 40 ^ (uint64_t)sum->generation << 28 ^ (uint64_t)sum->number << 20 ^
	       (uint64_t)(uint32_t)sum->error;
}

static bool alike(const void *sums, uint32_t number, const void *other)
{
	const struct records_sum *sum = (const struct records_sum *)sums + number, *one = other;

	return sum->fd == one->fd && sum->generation == one->generation && sum->number == one->number &&
	       sum->thread == one->thread && sum->error == one->error;
}

static void add(struct records *records, const struct fast_record *record)
{
	const struct hash_index index = {.size = RECORDS_SUMS, .probes = PROBES, .slots = records->slots};
	const struct records_sum one = sum_of(record);
	bool found;
	uint32_t *slot = hash_index_find(&index, key_of(&one), alike, records->sums, &one, &found);
	struct records_sum *sum;

	if (!*slot) {
		records->sums[records->count++] = one;
		*slot = records->count;
		return;
	}
	sum = &records->sums[*slot - 1];
	if (found) {
		sum->calls++;
		sum->bytes += one.bytes;
		return;
	}
	end_sum(records, sum); /* in the place of another */
	*sum = one;
}

void records_begin(struct records *records, struct pt_tracer *t, struct image *image)
{
	records->t = t;
	records->image = image;
	records->count = 0;
	memset(records->slots, 0, sizeof(records->slots));
}

void records_emit(struct records *records, const struct fast_record *record)
{
	struct pt_tracer *t = records->t;
	struct image *image = records->image;

	if (record->number == FAST_NUMBER_VOID)
		return;
	if (!is_possible(record))
		distrust(t, image);
	else if (t->options.aggregate)
		add(records, record);
	else
		emit_one(t, image, threads_find(t, image, record->thread), record, time_of(t, image, record->tsc));
}

void records_end(struct records *records)
{
	for (unsigned int i = 0; i < records->count; i++)
		end_sum(records, &records->sums[i]);
}
