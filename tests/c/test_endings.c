/* SPDX-License-Identifier: GPL-2.0-or-later
 * Generations of fds, and sockets that end in stubs: each record belongs to what its fd named then. */
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "fast/count/drain.h"
#include "fast/count/fading.h"
#include "fast/count/ring.h"
#include "fast/count/slots.h"
#include "fast/image/ender.h"
#include "fast/setup.h"
#include "process/tracee.h"
#include "records/emit.h"
#include "sockets/files.h"

#define INODE 4711
#define FD 60

static struct bench begin(void)
{
	const struct pt_options options = {.fast = 1, .aggregate = 1};
	struct bench b = bench_begin(&options);

	emit_begin(b.t);
	return b;
}

static uint32_t *entry(unsigned int number, unsigned int word)
{
	return at(FAST_ENDINGS + ((uint64_t)number << FAST_ENDING_BITS) + word);
}

/* As ending.S does it for a stream of AF_UNIX. */
static void write_ending(unsigned int number, uint32_t generation, bool born)
{
	const struct stat st = {.st_mode = S_IFSOCK, .st_ino = INODE};

	memset(entry(number, 0), 0, ENDING_END);
	*entry(number, ENDING_FD) = FD;
	*entry(number, ENDING_GENERATION) = generation;
	*entry(number, ENDING_BORN) = born ? generation | FAST_USED : 0;
	*entry(number, ENDING_DOMAIN) = AF_UNIX;
	*entry(number, ENDING_TYPE) = SOCK_STREAM;
	*entry(number, ENDING_INFO_RESULT) = UINT32_MAX;
	memcpy(entry(number, ENDING_STAT), &st, sizeof(st));
	*(uint32_t *)at(FAST_ENDING_STATES + number * 4) = FAST_ENDING_WHOLE;
	++*(uint32_t *)at(FAST_ENDED);
}

/* What has been told since the last time. */
static unsigned int told(struct bench *b, enum pt_kind kind, uint64_t *bytes)
{
	unsigned int count = 0;

	for (uint32_t i = 0; i < b->t->out.count; i++) {
		if (b->t->out.records[i].kind != kind)
			continue;
		*bytes = b->t->out.records[i].bytes;
		count++;
	}
	return count;
}

/* Nobody has looked at the fd: its end says what it was. By then its number is another generation's. */
static void check_end(void)
{
	struct bench b = begin();
	uint64_t bytes;

	*slot(FD, FAST_SLOT_GENERATION) = 4 * FAST_STEP;
	write_record(FD, 2 * FAST_STEP, 7);
	write_ending(200, 2 * FAST_STEP, true);
	drain_now(b.t, b.image);
	CHECK(told(&b, PT_TRANSFER, &bytes) == 1 && bytes == 7);
	CHECK(told(&b, PT_SOCKET, &bytes) == 1 && told(&b, PT_CLOSE, &bytes) == 1 && told(&b, PT_WARNING, &bytes) == 0);
	CHECK(*(uint32_t *)at(FAST_ENDING_STATES + 200 * 4) == FAST_ENDING_FREE);
	end(&b);
}

/* The record is read before the end is: it waits for that. Where none comes its bytes are missing, and that is said. */
static void check_late_end(bool comes)
{
	struct bench b = begin();
	uint64_t bytes;

	*slot(FD, FAST_SLOT_GENERATION) = 4 * FAST_STEP;
	write_record(FD, 2 * FAST_STEP, 7);
	drain_now(b.t, b.image);
	CHECK(told(&b, PT_TRANSFER, &bytes) == 0 && told(&b, PT_WARNING, &bytes) == 0 && b.image->pending.count == 1);
	if (comes)
		write_ending(3, 2 * FAST_STEP, true);
	drain_now(b.t, b.image);
	CHECK(told(&b, PT_TRANSFER, &bytes) == comes && told(&b, PT_WARNING, &bytes) == !comes);
	CHECK(b.image->pending.count == 0);
	end(&b);
}

/* Nothing was counted on it, and the tracer knew nothing of it: at stops that would be no row either. */
static void check_unused(void)
{
	struct bench b = begin();
	uint64_t bytes;

	write_ending(0, 2 * FAST_STEP, true);
	drain_now(b.t, b.image);
	CHECK(b.t->out.count == 0 && told(&b, PT_SOCKET, &bytes) == 0 && !b.image->ended.first);
	end(&b);
}

/* What a stub has accepted is open still: it is looked at, and known from then on. */
static void check_birth(void)
{
	struct bench b = begin();
	const unsigned int fd = (unsigned int)b.ends[0];
	uint64_t bytes;

	*slot(fd, FAST_SLOT_GENERATION) = 2 * FAST_STEP;
	*slot(fd, FAST_SLOT_BORN) = 2 * FAST_STEP | FAST_USED;
	*slot(fd, FAST_SLOT_STATE) = 2 * FAST_STEP ^ FAST_SOCKET;
	*slot(fd, FAST_SLOT_UNDER_WAY) = 1; /* another thread waits for more */
	write_record(fd, 2 * FAST_STEP, 9);
	drain_now(b.t, b.image);
	CHECK(told(&b, PT_TRANSFER, &bytes) == 1 && bytes == 9 && told(&b, PT_WARNING, &bytes) == 0);
	CHECK(files_known(b.t, b.tracee->files, (int)fd) &&
	      *slot(fd, FAST_SLOT_STATE) == (2 * FAST_STEP ^ FAST_SOCKET));
	/* A stub has closed it, and something else has its number. */
	*slot(fd, FAST_SLOT_GENERATION) = 4 * FAST_STEP;
	CHECK(slots_unknown(b.image, fd) && !files_known(b.t, b.tracee->files, (int)fd));
	end(&b);
}

/* What was found out before a close says nothing of what comes after it. */
static void check_learning_too_late(void)
{
	struct bench b = begin();
	const unsigned int fd = (unsigned int)b.ends[0];
	struct socket *socket;
	const uint32_t looked = slot_generation(b.image, fd);

	CHECK(files_lookup(b.t, b.tracee, (int)fd, &socket) == 1 && slots_pass(b.image, fd));
	*slot(fd, FAST_SLOT_GENERATION) = FAST_STEP; /* a stub is closing it */
	CHECK(!slots_learn(b.t, b.image, fd, socket, FAST_STEP) && !slots_pass(b.image, fd));
	CHECK(!files_known(b.t, b.tracee->files, (int)fd));
	*slot(fd, FAST_SLOT_GENERATION) = 2 * FAST_STEP;
	CHECK(!slots_learn(b.t, b.image, fd, socket, looked) && !slots_pass(b.image, fd));
	CHECK(slots_learn(b.t, b.image, fd, socket, 2 * FAST_STEP) && slots_pass(b.image, fd));
	end(&b);
}

/* A stub closes what was known, while the entries are read: what it has left of it is read the next time. */
static void check_end_between_reads(void)
{
	struct bench b = begin();
	const unsigned int fd = (unsigned int)b.ends[0];
	struct socket *socket;

	CHECK(files_lookup(b.t, b.tracee, (int)fd, &socket) == 1);
	drain_now(b.t, b.image);
	*slot(fd, FAST_SLOT_GENERATION) = 2 * FAST_STEP;
	slots_left(b.image, fd, socket);
	fading_tidy(b.t, b.image);
	fading_tidy(b.t, b.image); /* as when another process is read on the way */
	CHECK(fading_of(b.image, fd, 0) == socket);
	drain_now(b.t, b.image);
	CHECK(!fading_of(b.image, fd, 0));
	end(&b);
}

/* No stub has written that. */
static void check_forged(unsigned int word, uint32_t value)
{
	struct bench b = begin();
	uint64_t bytes;

	write_ending(0, 2 * FAST_STEP, false);
	if (word)
		*entry(0, word) = value;
	else
		*(uint32_t *)at(FAST_ENDING_STATES) = value;
	drain_now(b.t, b.image);
	CHECK(b.image->lost && told(&b, PT_WARNING, &bytes) == 1 && b.t->out.records[0].value == PT_REASON_FORGED);
	end(&b);
}

int main(void)
{
	check_end();
	check_late_end(true);
	check_late_end(false);
	check_unused();
	check_birth();
	check_learning_too_late();
	check_end_between_reads();
	check_forged(ENDING_FD, FAST_FDS);
	check_forged(ENDING_GENERATION, FAST_STEP);
	check_forged(ENDING_GENERATION, 2 * FAST_STEP + 1);
	check_forged(0, 2);
	check_forged(0, UINT32_MAX);
	return 0;
}
