/* SPDX-License-Identifier: GPL-2.0-or-later
 * This process is tracee and tracer in one: it has the data of stubs in its own memory, and a test writes there what
 * stubs would write. */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "fast/count/ring.h"
#include "fast/count/slot.h"
#include "fast/setup.h"
#include "process/tracee.h"

#define SENDTO 44

struct bench {
	struct pt_tracer *t;
	struct tracee *tracee;
	struct image *image;
	int ends[2]; /* of a socket pair */
};

static inline void *at(uint64_t address)
{
	return (void *)(uintptr_t)address;
}

static inline struct bench bench_begin(const struct pt_options *options)
{
	struct bench b;

	CHECK(mmap(at(FAST_DATA), FAST_DATA_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == at(FAST_DATA));
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, b.ends) == 0 && pt_create(options, &b.t) == 0);
	b.t->counting = true;
	b.tracee = tracee_create(b.t, getpid());
	CHECK(b.tracee && tracee_join(b.t, b.tracee, NULL, getpid(), getppid(), NULL) == 0);
	b.tracee->group->counted = true;
	b.image = image_begin(b.t, b.tracee);
	CHECK(b.image && ring_write(b.image) == 0);
	return b;
}

static inline void end(struct bench *b)
{
	pt_destroy(b->t);
	CHECK(close(b->ends[0]) == 0 && close(b->ends[1]) == 0 && munmap(at(FAST_DATA), FAST_DATA_SIZE) == 0);
}

static inline uint32_t *slot(unsigned int fd, unsigned int word)
{
	return at(FAST_SLOTS + ((uint64_t)fd << FAST_SLOT_BITS) + word);
}

/* Of a send(2), in the first ring. */
static inline void write_record(unsigned int fd, uint32_t generation, int64_t bytes)
{
	uint64_t *head = at(FAST_HEADS), number = (*head)++;
	struct fast_record record = {
		.fd = (uint16_t)fd,
		.generation = slot_shown(generation),
		.number = SENDTO,
		.round = (uint16_t)(number >> FAST_RING_BITS),
		.result = bytes,
	};

	memcpy(at(FAST_RING + ring_place(0, number)), &record, sizeof(record));
}

#endif
