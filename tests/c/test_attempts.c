/* SPDX-License-Identifier: GPL-2.0-or-later
 * What stubs leave of the sockets that they have connected. */
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "fast/count/attempts.h"
#include "fast/count/drain.h"
#include "fast/count/peers.h"
#include "fast/count/ring.h"
#include "fast/setup.h"
#include "process/tracee.h"
#include "records/emit.h"
#include "sockets/files.h"

#define INODE 4711
#define FD 60
#define GENERATION (2 * FAST_STEP)
#define PORT 4321

static struct bench begin(bool names)
{
	const struct pt_options options = {.fast = 1, .aggregate = 1, .names = names};
	struct bench b = bench_begin(&options);

	emit_begin(b.t);
	return b;
}

static uint32_t *entry(unsigned int number, unsigned int word)
{
	return at(FAST_ATTEMPTS + ((uint64_t)number << FAST_ATTEMPT_BITS) + word);
}

static uint32_t *state(unsigned int number)
{
	return at(FAST_ATTEMPT_STATES + number * 4);
}

static struct sockaddr_in peer(void)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* As attempt.S does it. */
static void write_attempt(unsigned int number, uint64_t inode, int64_t result, uint32_t outcome)
{
	const struct stat st = {.st_mode = S_IFSOCK, .st_ino = inode};
	const struct sockaddr_in address = peer();

	memset(entry(number, 0), 0, ATTEMPT_END);
	memcpy(entry(number, ATTEMPT_RESULT), &result, sizeof(result));
	*entry(number, ATTEMPT_FD) = FD;
	*entry(number, ATTEMPT_GENERATION) = GENERATION;
	*entry(number, ATTEMPT_OUTCOME) = outcome;
	*entry(number, ATTEMPT_ASKED_LENGTH) = sizeof(address);
	*entry(number, ATTEMPT_PROTOCOL) = IPPROTO_TCP;
	*entry(number, ATTEMPT_LOCAL_LENGTH) = sizeof(address);
	*entry(number, ATTEMPT_PEER_LENGTH) = sizeof(address);
	*entry(number, ATTEMPT_PEER_RESULT) = result ? (uint32_t)-ENOTCONN : 0;
	*entry(number, ATTEMPT_INFO_RESULT) = UINT32_MAX;
	memcpy(entry(number, ATTEMPT_ASKED), &address, sizeof(address));
	memcpy(entry(number, ATTEMPT_LOCAL), &address, sizeof(address));
	memcpy(entry(number, ATTEMPT_PEER), &address, sizeof(address));
	memcpy(entry(number, ATTEMPT_STAT), &st, sizeof(st));
	*state(number) = FAST_ATTEMPT_WHOLE;
	++*(uint32_t *)at(FAST_ATTEMPTED);
}

/* What a stub says in the slot then. */
static void say_connected(void)
{
	*slot(FD, FAST_SLOT_GENERATION) = GENERATION;
	*slot(FD, FAST_SLOT_LEARNT) = GENERATION | FAST_USED;
	*slot(FD, FAST_SLOT_STATE) = GENERATION ^ FAST_SOCKET;
}

/* As ending.S does it. */
static void write_ending(uint64_t inode)
{
	const struct stat st = {.st_mode = S_IFSOCK, .st_ino = inode};
	uint8_t *ending = at(FAST_ENDINGS);

	memset(ending, 0, ENDING_END);
	*(uint32_t *)(ending + ENDING_FD) = FD;
	*(uint32_t *)(ending + ENDING_GENERATION) = GENERATION;
	*(uint32_t *)(ending + ENDING_DOMAIN) = AF_INET;
	*(uint32_t *)(ending + ENDING_TYPE) = SOCK_STREAM;
	*(uint32_t *)(ending + ENDING_PROTOCOL) = IPPROTO_TCP;
	*(uint32_t *)(ending + ENDING_INFO_RESULT) = UINT32_MAX;
	memcpy(ending + ENDING_STAT, &st, sizeof(st));
	*(uint32_t *)at(FAST_ENDING_STATES) = FAST_ENDING_WHOLE;
	++*(uint32_t *)at(FAST_ENDED);
	*slot(FD, FAST_SLOT_GENERATION) = GENERATION + 2 * FAST_STEP;
}

/* What has been told; *last is the last one. */
static unsigned int told(const struct bench *b, enum pt_kind kind, struct pt_record *last)
{
	unsigned int count = 0;

	for (uint32_t i = 0; i < b->t->out.count; i++) {
		if (b->t->out.records[i].kind != kind)
			continue;
		*last = b->t->out.records[i];
		count++;
	}
	return count;
}

/* PT_SOCKET has it, and PT_CONNECT has it first. */
static struct pt_socket_info info_of(const struct bench *b, const struct pt_record *record)
{
	struct pt_socket_info info;

	memcpy(&info, b->t->out.data + record->data_offset, sizeof(info));
	return info;
}

/* It is known by its entry, and nobody has to look at it. */
static void check_connected(void)
{
	struct bench b = begin(false);
	struct pt_record last;

	say_connected();
	write_attempt(7, INODE, 0, FAST_OUTCOME_PASSES);
	write_record(FD, GENERATION, 11);
	drain_now(b.t, b.image);
	CHECK(told(&b, PT_CONNECT, &last) == 1 && last.fd == FD && last.error == 0);
	CHECK(told(&b, PT_SOCKET, &last) == 1 && info_of(&b, &last).inode == INODE &&
	      info_of(&b, &last).origin == PT_ORIGIN_CONNECTED);
	CHECK(told(&b, PT_TRANSFER, &last) == 1 && last.bytes == 11 && told(&b, PT_WARNING, &last) == 0);
	CHECK(*state(7) == FAST_ATTEMPT_FREE && files_noted(b.tracee->files, FD));
	CHECK(*slot(FD, FAST_SLOT_STATE) == (GENERATION ^ FAST_SOCKET));
	write_ending(INODE);
	drain_now(b.t, b.image);
	CHECK(told(&b, PT_CLOSE, &last) == 1 && !files_noted(b.tracee->files, FD));
	end(&b);
}

/* All of it before the first look: what it was is not taken for what its number names now. */
static void check_closed_since(void)
{
	struct bench b = begin(false);
	struct pt_record last;

	say_connected();
	write_attempt(0, INODE, 0, FAST_OUTCOME_PASSES);
	write_record(FD, GENERATION, 13);
	write_ending(INODE);
	drain_now(b.t, b.image);
	CHECK(told(&b, PT_CONNECT, &last) == 1 && told(&b, PT_SOCKET, &last) == 1 && told(&b, PT_CLOSE, &last) == 1);
	CHECK(told(&b, PT_TRANSFER, &last) == 1 && last.bytes == 13 && told(&b, PT_WARNING, &last) == 0);
	CHECK(!files_noted(b.tracee->files, FD));
	end(&b);
}

/* The record was read, and the entry not yet: it waits for that, also if the fd is closed before that is read. */
static void check_record_first(bool closes)
{
	struct bench b = begin(false);
	struct pt_record last;

	say_connected();
	write_record(FD, GENERATION, 17);
	drain_now(b.t, b.image);
	CHECK(b.t->out.count == 0 && b.image->pending.count == 1);
	write_attempt(0, INODE, 0, FAST_OUTCOME_PASSES);
	if (closes)
		*slot(FD, FAST_SLOT_GENERATION) = GENERATION + 2 * FAST_STEP; /* its end is read the next time */
	drain_now(b.t, b.image);
	CHECK(told(&b, PT_TRANSFER, &last) == !closes && told(&b, PT_WARNING, &last) == 0);
	if (closes) {
		write_ending(INODE);
		drain_now(b.t, b.image);
	}
	CHECK(told(&b, PT_TRANSFER, &last) == 1 && last.bytes == 17 && told(&b, PT_WARNING, &last) == 0);
	end(&b);
}

static void check_failed(void)
{
	struct bench b = begin(false);
	struct pt_record last;

	*slot(FD, FAST_SLOT_GENERATION) = GENERATION;
	write_attempt(0, INODE, -ECONNREFUSED, FAST_OUTCOME_LEFT);
	drain_now(b.t, b.image);
	CHECK(told(&b, PT_CONNECT, &last) == 1 && last.error == ECONNREFUSED && b.t->connecting == 0);
	CHECK(info_of(&b, &last).inode == INODE);
	/* What it names now nobody knows. */
	write_attempt(1, INODE, -EINPROGRESS, FAST_OUTCOME_CHANGED);
	drain_now(b.t, b.image);
	CHECK(told(&b, PT_CONNECT, &last) == 2 && last.error == EINPROGRESS && b.t->connecting == 0);
	CHECK(info_of(&b, &last).inode == 0 && info_of(&b, &last).family == AF_INET);
	write_attempt(2, INODE, -EINPROGRESS, FAST_OUTCOME_LEFT);
	drain_now(b.t, b.image);
	CHECK(told(&b, PT_CONNECT, &last) == 3 && b.t->connecting == 1 && !files_noted(b.tracee->files, FD));
	end(&b);
}

/* A thread that connects has its entry as long as that lasts. */
static void check_lasting(void)
{
	struct bench b = begin(false);

	write_attempt(5, INODE, 0, FAST_OUTCOME_PASSES);
	*state(5) = FAST_ATTEMPT_TAKEN;
	drain_now(b.t, b.image);
	CHECK(b.t->out.count == 0 && *state(5) == FAST_ATTEMPT_TAKEN);
	*state(5) = FAST_ATTEMPT_WHOLE;
	drain_now(b.t, b.image);
	CHECK(b.t->out.count == 1 && *state(5) == FAST_ATTEMPT_FREE);
	*state(3) = FAST_ATTEMPT_TAKEN;
	*state(4) = FAST_ATTEMPT_WHOLE;
	CHECK(attempts_forget(b.image, true) == 0);
	CHECK(*state(3) == FAST_ATTEMPT_TAKEN && *state(4) == FAST_ATTEMPT_FREE);
	CHECK(attempts_forget(b.image, false) == 0 && *state(3) == FAST_ATTEMPT_FREE);
	end(&b);
}

/* When it has been looked at often enough what is on a connection, stubs need not wait for that any more. */
static void check_peers(void)
{
	const struct sockaddr_in address = peer();
	struct bench b = begin(true);
	unsigned int rows = 0;
	uint8_t row[1 << FAST_PEER_BITS] = {0};

	memcpy(row, &address, sizeof(address));
	for (unsigned int i = 0; i <= 64; i++) {
		CHECK(peers_forget_all(b.image) == 0);
		write_attempt(0, INODE + i, 0, FAST_OUTCOME_LEFT);
		drain_now(b.t, b.image);
		rows = 0;
		for (unsigned int at_row = 0; at_row < FAST_PEER_COUNT; at_row++)
			rows += memcmp(at(FAST_PEERS + (at_row << FAST_PEER_BITS)), row, sizeof(row)) == 0;
		CHECK(rows == (i == 64));
	}
	end(&b);
}

/* No stub has written that. */
static void check_forged(unsigned int word, uint32_t value)
{
	struct bench b = begin(false);
	struct pt_record last;

	write_attempt(0, INODE, 0, FAST_OUTCOME_PASSES);
	if (word)
		*entry(0, word) = value;
	else
		*state(0) = value;
	drain_now(b.t, b.image);
	CHECK(b.image->lost && told(&b, PT_WARNING, &last) == 1 && last.value == PT_REASON_FORGED);
	end(&b);
}

int main(void)
{
	check_connected();
	check_closed_since();
	check_record_first(false);
	check_record_first(true);
	check_failed();
	check_lasting();
	check_peers();
	check_forged(ATTEMPT_FD, FAST_FDS);
	check_forged(ATTEMPT_GENERATION, FAST_STEP);
	check_forged(ATTEMPT_GENERATION, 2 * FAST_STEP + 1);
	check_forged(ATTEMPT_RESULT, 1);
	check_forged(ATTEMPT_RESULT + 4, 0x80000000);
	check_forged(ATTEMPT_ASKED_LENGTH, ATTEMPT_ASKED_SIZE + 1);
	check_forged(0, 2);
	check_forged(0, UINT32_MAX);
	return 0;
}
