/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rings of records: none is lost, doubled or told out of its thread's order, whatever their threads leave unwritten for
 * a while. This process is tracee and tracer in one: it writes into its own memory what stubs would write. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <x86intrin.h>

#include "bench.h"
#include "fast/count/drain.h"
#include "fast/count/ring.h"
#include "fast/image/image.h"
#include "fast/image/layout.h"
#include "fast/setup.h"
#include "process/tracee.h"
#include "records/emit.h"
#include "sockets/files.h"

#define THREADS 3
#define EACH 30000

static uint64_t pointer_of(unsigned int thread)
{
	return (uint64_t)thread << FAST_THREAD_BITS;
}

static _Atomic uint64_t *head_of(unsigned int ring)
{
	return (_Atomic uint64_t *)(uintptr_t)(FAST_HEADS + ((uint64_t)ring << FAST_HEAD_BITS));
}

static uint64_t limit_of(unsigned int ring)
{
	return *(volatile uint64_t *)(uintptr_t)(FAST_HEADS + ((uint64_t)ring << FAST_HEAD_BITS) + FAST_LIMIT);
}

static uint64_t claim(unsigned int ring)
{
	return atomic_fetch_add(head_of(ring), 1);
}

/* As stub.S does: what tells that the record is whole is written last. */
static void commit(unsigned int ring, uint64_t number, unsigned int thread, int fd, int64_t result)
{
	struct fast_record *record = (struct fast_record *)(uintptr_t)(FAST_RING + ring_place(ring, number));
	uint32_t last = (uint32_t)(number >> FAST_RING_BITS) << 16 | SENDTO;

	record->result = result;
	record->thread = pointer_of(thread);
	record->fd = (uint16_t)fd;
	record->generation = (uint16_t)((uint32_t)fd >> 16); /* of what is no fd: an odd one */
	atomic_thread_fence(memory_order_release);
	memcpy((uint8_t *)record + 4, &last, sizeof(last));
}

/* A record of another call. */
static void commit_number(unsigned int ring, uint64_t number, uint16_t call, int fd, int64_t result)
{
	struct fast_record *record = (struct fast_record *)(uintptr_t)(FAST_RING + ring_place(ring, number));

	commit(ring, number, 0, fd, result);
	record->number = call;
}

static void add_thread(struct bench *b, unsigned int thread, struct tracee *tracee)
{
	struct image *image = b->image;

	image->threads = realloc(image->threads, (image->thread_count + 1) * sizeof(*image->threads));
	CHECK(image->threads);
	image->threads[image->thread_count++] = (struct fast_thread){pointer_of(thread), tracee};
}

static struct bench begin(void)
{
	const struct pt_options options = {.fast = 1};
	struct bench b = bench_begin(&options);

	add_thread(&b, 0, b.tracee);
	return b;
}

/* What a drain tells: the results, in order. */
static unsigned int drain(struct bench *b, uint64_t *results, unsigned int most)
{
	struct pt_batch batch;
	unsigned int count = 0;

	emit_begin(b->t);
	drain_now(b->t, b->image);
	emit_end(b->t, &batch);
	for (uint32_t i = 0; i < batch.count; i++) {
		if (batch.records[i].kind != PT_TRANSFER)
			continue;
		CHECK(count < most);
		results[count++] = batch.records[i].bytes;
	}
	return count;
}

static void check_gap(void)
{
	struct bench b = begin();
	uint64_t first = claim(0), gap = claim(0), last = claim(0), told[4];

	commit(0, first, 0, b.ends[0], 11);
	commit(0, last, 0, b.ends[0], 13);
	CHECK(drain(&b, told, 4) == 2 && told[0] == 11 && told[1] == 13);
	CHECK(limit_of(0) == gap + FAST_RING_RECORDS - b.image->reserve); /* the gap's place is not free */
	CHECK(ring_number(b.image, ring_place(0, gap)) == gap);
	CHECK(drain(&b, told, 4) == 0);
	commit(0, gap, 0, b.ends[0], 12);
	CHECK(drain(&b, told, 4) == 1 && told[0] == 12);
	CHECK(limit_of(0) == last + 1 + FAST_RING_RECORDS - b.image->reserve);
	CHECK(drain(&b, told, 4) == 0);
	end(&b);
}

/* The ring goes round, and a record of the last round is not taken for one of this. */
static void check_rounds(void)
{
	struct bench b = begin();
	uint64_t told[4];

	for (uint64_t i = 0; i < 3 * FAST_RING_RECORDS; i++) {
		uint64_t number = claim(5);

		CHECK(ring_number(b.image, ring_place(5, number)) == number);
		CHECK(drain(&b, told, 4) == 0);
		commit(5, number, 0, b.ends[0], (int64_t)i + 1);
		CHECK(drain(&b, told, 4) == 1 && told[0] == i + 1);
	}
	end(&b);
}

static void check_full(void)
{
	struct bench b = begin();
	uint64_t *told = calloc(FAST_RING_RECORDS, sizeof(*told)), count = 0;

	CHECK(told && !ring_was_full(b.image, pointer_of(0)));
	/* FAST_TIMED is set, since single calls are wanted: so all go to the first ring. */
	b.image->flags |= FAST_TIMED;
	for (; *head_of(0) < limit_of(0); count++)
		commit(0, claim(0), 0, b.ends[0], 1);
	CHECK(count == FAST_RING_RECORDS - b.image->reserve);
	CHECK(drain(&b, told, FAST_RING_RECORDS) == count);
	CHECK(ring_was_full(b.image, pointer_of(0)) && !ring_was_full(b.image, pointer_of(0)));
	CHECK(limit_of(0) == *head_of(0) + FAST_RING_RECORDS - b.image->reserve);
	free(told);
	end(&b);
}

/* Another thread has ended a call since the rings were read, when the fd is closed: it was on what the fd named. */
static void check_close(void)
{
	struct bench b = begin();
	struct socket *socket;
	struct pt_batch batch;
	uint64_t told[4];

	add_thread(&b, 1, b.tracee);
	commit(0, claim(0), 0, b.ends[0], 1);
	CHECK(drain(&b, told, 4) == 1);
	socket = files_known(b.t, b.tracee->files, b.ends[0]);
	CHECK(socket && socket->sent == 1);
	commit(1, claim(1), 1, b.ends[0], 2);
	emit_begin(b.t);
	files_closing(b.t, b.tracee, (unsigned int)b.ends[0], (unsigned int)b.ends[0]);
	emit_end(b.t, &batch);
	CHECK(batch.count == 1 && batch.records[0].bytes == 2);
	CHECK(!b.image->fading && !files_known(b.t, b.tracee->files, b.ends[0]));
	end(&b);
}

/* What can't be counted makes the report incomplete. */
static void check_unknown(void)
{
	struct bench b = begin();
	struct pt_batch batch;

	commit(0, claim(0), 0, 1 << 14, 1); /* there is no such fd */
	emit_begin(b.t);
	drain_now(b.t, b.image);
	emit_end(b.t, &batch);
	CHECK(batch.count == 1 && batch.records[0].kind == PT_WARNING &&
	      batch.records[0].value == PT_REASON_UNATTRIBUTED);
	end(&b);
}

/* A drain tells that the report is not complete, and that the process stays at stops. Nothing is read after that. */
static void check_given_up(struct bench *b)
{
	struct pt_batch batch;
	uint64_t told[4];

	emit_begin(b->t);
	drain_now(b->t, b->image);
	emit_end(b->t, &batch);
	CHECK(b->image->lost && batch.count == 2);
	CHECK(batch.records[0].kind == PT_WARNING && batch.records[0].value == PT_REASON_FORGED);
	CHECK(batch.records[1].kind == PT_FALLBACK && batch.records[1].value == PT_FALLBACK_TAKEN);
	CHECK((b->image->flags & FAST_ALL_STOP) == FAST_ALL_STOP && b->tracee->group->fast.slow);
	*head_of(0) = b->image->rings[0].tail + 1;
	CHECK(drain(b, told, 4) == 0);
}

/* The tracee has written a head that no stub has. It must not say how long the tracer reads. */
static void check_forged_head(void)
{
	const uint64_t heads[] = {0,	      1,	 FAST_RING_RECORDS - 1, 2 * FAST_RING_RECORDS + 1, 1ull << 32,
				  1ull << 62, UINT64_MAX};

	for (unsigned int i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct bench b = begin();
		struct image *child;

		*head_of(i % FAST_RINGS) = heads[i];
		CHECK(*(volatile uint32_t *)(uintptr_t)FAST_FLAGS == 0);
		check_given_up(&b);
		CHECK(*(volatile uint32_t *)(uintptr_t)FAST_FLAGS == FAST_ALL_STOP);
		child = image_copy(b.t, b.image, b.tracee);
		CHECK(!child);
		end(&b);
	}
}

/* More records that were begun than there can be threads: each is looked at again at every stop. */
static void check_forged_gaps(void)
{
	struct bench b = begin();

	*head_of(3) += FAST_RING_RECORDS;
	check_given_up(&b);
	CHECK(b.image->rings[3].gap_count <= FAST_THREADS + 1);
	end(&b);
}

static void check_forged_record(void)
{
	const struct {
		uint16_t call;
		int fd;
		int64_t result;
	} forged[] = {
		{SENDTO, 0, 1ll << 60},
		{SENDTO, 0, 0x7ffff001},
		{SENDTO, 0, INT64_MAX},
		{SENDTO, 0, INT64_MIN},
		{SENDTO, 0, -4096},
		{SENDTO, FAST_FDS, 1},
		{SENDTO, -1, 1},
		{3, 0, 1},
		{FAST_NUMBER_VOID - 1, 0, 1},
		{59, 0, 1},
	};

	for (unsigned int i = 0; i < sizeof(forged) / sizeof(forged[0]); i++) {
		struct bench b = begin();
		uint64_t told[4];

		commit(0, claim(0), 0, b.ends[0], 0x7ffff000);
		CHECK(drain(&b, told, 4) == 1 && told[0] == 0x7ffff000);
		commit(0, claim(0), 0, b.ends[0], -4095);
		CHECK(drain(&b, told, 4) == 1 && told[0] == 0);
		commit_number(0, claim(0), forged[i].call, forged[i].fd ? forged[i].fd : b.ends[0], forged[i].result);
		check_given_up(&b);
		end(&b);
	}
}

/* Calls were counted there, and nobody can say how many. */
static void check_unmapped(void)
{
	struct bench b = begin();

	commit(0, claim(0), 0, b.ends[0], 1);
	CHECK(munmap((void *)(uintptr_t)FAST_RING, FAST_RING_RECORDS) == 0);
	*head_of(1) += 1;
	emit_begin(b.t);
	drain_now(b.t, b.image);
	CHECK(b.t->out.count == 2 && b.t->out.records[0].kind == PT_WARNING &&
	      b.t->out.records[0].value == PT_REASON_UNREADABLE && b.t->out.records[0].error == EFAULT);
	end(&b);
}

/* An execve may have replaced the memory: nothing is missing. If it fails, the memory is looked at again. */
static void check_executing(void)
{
	struct bench b = begin();
	uint64_t told[4];

	b.tracee->call.entry = syscall_find(ABI_NATIVE, 59);
	*head_of(0) = 0;
	CHECK(drain(&b, told, 4) == 0 && b.t->out.count == 0 && !b.image->lost);
	b.image->stopped = b.tracee;
	check_given_up(&b);
	end(&b);
}

/* One call, which ends now. */
static void end_call(const struct bench *b, uint64_t number, uint64_t tsc)
{
	((struct fast_record *)(uintptr_t)(FAST_RING + ring_place(0, number)))->tsc = tsc;
	commit(0, number, 0, b->ends[0], 1);
}

/* Records bear the times of their calls, though they are read later; a socket is told of at that of its first one. What
 * is read too late for its batch, and what the program has made up, does not go back behind what was told. */
static void check_times(void)
{
	struct bench b = begin();
	uint64_t before[4], after[4], late;
	struct pt_batch batch;

	b.image->flags |= FAST_TIMED;
	for (unsigned int i = 0; i < 4; i++) {
		before[i] = (uint64_t)now_ns();
		end_call(&b, claim(0), __rdtsc());
		after[i] = (uint64_t)now_ns();
		CHECK(usleep(2000) == 0);
	}
	late = claim(0);
	end_call(&b, claim(0), 0);
	emit_begin(b.t);
	drain_now(b.t, b.image);
	emit_end(b.t, &batch);
	CHECK(batch.count == 6 && batch.time >= after[3] + 2000000 && batch.time <= (uint64_t)now_ns());
	CHECK(batch.records[0].kind == PT_SOCKET && batch.records[0].time == batch.records[1].time);
	for (unsigned int i = 0; i < 4; i++) {
		const uint64_t time = batch.records[i + 1].time;

		CHECK(time + 100000 >= before[i] && time <= after[i] + 100000);
	}
	CHECK(batch.records[5].time == batch.records[4].time); /* its thread's last one */
	end_call(&b, late, __rdtsc() / 2);
	emit_begin(b.t);
	drain_now(b.t, b.image);
	late = batch.time;
	emit_end(b.t, &batch);
	CHECK(batch.count == 1 && batch.records[0].time == late);
	end(&b);
}

struct writer {
	pthread_t thread;
	unsigned int number;
	int fd;
};

/* All of them write to one ring, and each leaves some records unwritten for a while. */
static void *write_records(void *context)
{
	const struct writer *writer = context;

	for (int64_t i = 1; i <= EACH; i++) {
		uint64_t number;

		while (*head_of(0) >= limit_of(0))
			sched_yield();
		number = claim(0);
		if (i % 7 == (int64_t)writer->number)
			sched_yield();
		commit(0, number, writer->number, writer->fd, i);
	}
	return NULL;
}

static void check_order(void)
{
	struct bench b = begin();
	struct writer writers[THREADS];
	uint64_t last[THREADS] = {0}, told = 0, one[4];
	struct pt_batch batch;

	commit(0, claim(0), 0, b.ends[0], 1);
	CHECK(drain(&b, one, 4) == 1); /* what the fd is can be asked of this thread alone: the others are made up */
	for (unsigned int i = 0; i < THREADS; i++) {
		struct tracee *tracee = b.tracee;

		if (i > 0) {
			tracee = tracee_create(b.t, (int)(1 << 22) + (int)i); /* more than a pid can be */
			CHECK(tracee &&
			      tracee_join(b.t, tracee, b.tracee->group, getpid(), getppid(), b.tracee->files) == 0);
			add_thread(&b, i, tracee);
		}
		writers[i] = (struct writer){.number = i, .fd = b.ends[0]};
		CHECK(pthread_create(&writers[i].thread, NULL, write_records, &writers[i]) == 0);
	}
	while (told < THREADS * EACH) {
		emit_begin(b.t);
		drain_now(b.t, b.image);
		emit_end(b.t, &batch);
		for (uint32_t i = 0; i < batch.count; i++) {
			int tid = batch.records[i].tid, thread = tid == getpid() ? 0 : tid - (1 << 22);

			if (batch.records[i].kind != PT_TRANSFER)
				continue;
			CHECK(batch.records[i].bytes == ++last[thread]);
			told++;
		}
	}
	for (unsigned int i = 0; i < THREADS; i++)
		CHECK(pthread_join(writers[i].thread, NULL) == 0 && last[i] == EACH);
	end(&b);
}

int main(void)
{
	check_gap();
	check_rounds();
	check_full();
	check_close();
	check_times();
	check_unknown();
	check_forged_head();
	check_forged_gaps();
	check_forged_record();
	check_unmapped();
	check_executing();
	check_order();
	return 0;
}
