/* SPDX-License-Identifier: GPL-2.0-or-later
 * Heads, records, slots and what closes have left, and the registers of threads in stubs. */
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fast/count/drain.h"
#include "fast/count/ring.h"
#include "fast/count/slots.h"
#include "fast/image/attempter.h"
#include "fast/image/ender.h"
#include "fast/patch/closer.h"
#include "fast/patch/connector.h"
#include "fast/patch/inflight.h"
#include "fast/setup.h"
#include "fuzz.h"
#include "process/tracee.h"
#include "records/emit.h"
#include "sockets/files.h"

#define STEPS_MOST 64
#define MAX_RW_COUNT 0x7ffff000 /* include/linux/fs.h: no call moves more */
#define MAX_ERRNO 4095

struct bench {
	struct pt_tracer *t;
	struct tracee *tracee;
	struct image *image;
	int ends[2];
};

static struct bench begin(struct input *input)
{
	const uint8_t how = input_byte(input);
	const struct pt_options options = {.fast = 1, .embedded = 1, .aggregate = how & 1, .names = how >> 1 & 1};
	struct bench b;

	HOLDS(socketpair(AF_UNIX, SOCK_STREAM, 0, b.ends) == 0 && pt_create(&options, &b.t) == 0);
	b.t->counting = true;
	b.tracee = tracee_create(b.t, getpid());
	HOLDS(b.tracee && tracee_join(b.t, b.tracee, NULL, getpid(), getppid(), NULL) == 0);
	b.image = image_begin(b.t, b.tracee);
	HOLDS(b.image);
	sites_make(b.image, input);
	b.image->threads = calloc(1, sizeof(*b.image->threads));
	HOLDS(b.image->threads);
	b.image->threads[b.image->thread_count++] = (struct fast_thread){0, b.tracee};
	HOLDS(ring_write(b.image) == 0);
	emit_begin(b.t);
	return b;
}

static void end(struct bench *b)
{
	pt_destroy(b->t);
	close(b->ends[0]);
	close(b->ends[1]);
}

/* Mostly a socket of ours. */
static unsigned int some_fd(const struct bench *b, struct input *input)
{
	const uint8_t byte = input_byte(input);

	return byte < 128 ? (unsigned int)b->ends[byte & 1] : (unsigned int)input_number(input, 4);
}

static void put_head(const struct bench *b, struct input *input)
{
	const unsigned int ring = input_byte(input) % FAST_RINGS;
	const uint8_t how = input_byte(input);
	const uint64_t head = how < 192 ? b->image->rings[ring].tail + how % 8 : input_number(input, 8);

	memory_put(FAST_HEADS + ((uint64_t)ring << FAST_HEAD_BITS), &head, sizeof(head));
}

static void put_record(const struct bench *b, struct input *input)
{
	const unsigned int ring = input_byte(input) % FAST_RINGS;
	const uint64_t number = b->image->rings[ring].tail + input_byte(input) % 8;
	const uint8_t how = input_byte(input);
	struct fast_record record = {
		.fd = (uint16_t)some_fd(b, input),
		.generation = how & 32 ? (uint16_t)input_number(input, 2) : 0,
		.number = how & 1 ? (uint16_t)input_number(input, 2) : fast_calls[how / 2 % FAST_CALLS],
		.round = how & 128 ? input_byte(input) : (uint16_t)(number >> FAST_RING_BITS),
		.result = (int64_t)(how & 64 ? input_number(input, 8) : input_number(input, 2)),
		.thread = input_byte(input),
		.tsc = input_byte(input),
	};

	memory_put(FAST_RING + ring_place(ring, number), &record, sizeof(record));
}

static struct registers some_registers(const struct bench *b, struct input *input, uint8_t how)
{
	struct registers regs = {0};

	regs.user.rip = FAST_STUBS + input_number(input, 2);
	regs.user.eflags = how & 32;
	regs.user.rdi = some_fd(b, input);
	regs.user.rsi = regs.user.rdi;
	regs.user.rax = how & 1 ? input_number(input, 8) : input_byte(input);
	regs.user.rbx = how & 64 ? input_number(input, 8)
				 : FAST_ENDINGS + ((uint64_t)input_number(input, 2) << FAST_ENDING_BITS);
	regs.user.rcx = how & 2 ? input_number(input, 8) : input_byte(input);
	regs.user.r11 = how & 4 ? input_number(input, 8) : (uint64_t)input_number(input, 2) << FAST_RECORD_BITS;
	regs.user.fs_base = how & 8 ? input_number(input, 8) : 0;
	return regs;
}

static void half_way(const struct bench *b, struct input *input)
{
	const uint8_t how = input_byte(input);
	struct registers regs = some_registers(b, input, how);

	inflight_count(b->t, b->image, b->tracee, &regs, how & 16);
	inflight_finish(b->image, &regs);
	closer_leaves(b->image, &regs);
	connector_dies(b->image, &regs);
	connector_leaves(b->t, b->image, b->tracee, &regs);
	if (ender_leaves(b->image, getpid(), &regs) || attempter_leaves(b->image, getpid(), &regs))
		HOLDS(regs.user.rip >= FAST_STUBS_FIRST && regs.user.rip < FAST_STUBS_END);
}

static void slot(const struct bench *b, struct input *input)
{
	const unsigned int fd = some_fd(b, input);
	uint32_t words[6];

	for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		words[i] = (uint32_t)input_byte(input) << (i == 2 ? FAST_STEP_BIT : i == 5 ? FAST_ATTEMPT_BITS : 0);
	if (fd < FAST_FDS)
		memory_put(FAST_SLOTS + ((uint64_t)fd << FAST_SLOT_BITS), words, sizeof(words));
	if (input_byte(input) & 1)
		files_closing(b->t, b->tracee, fd, fd);
}

/* As ending.S leaves it, or otherwise. */
static void put_ending(const struct bench *b, struct input *input)
{
	const uint32_t number = input_byte(input), fd = some_fd(b, input), ended = input_byte(input);
	const uint32_t generation = input_byte(input) << FAST_STEP_BIT, state = input_byte(input);
	const uint64_t at = FAST_ENDINGS + (number << FAST_ENDING_BITS);
	struct stat st = {.st_mode = state & 64 ? S_IFREG : S_IFSOCK, .st_ino = input_byte(input)};
	uint8_t rest[ENDING_END - ENDING_STAT_RESULT] = {0};

	for (unsigned int i = input_byte(input); i; i--)
		rest[input_number(input, 2) % sizeof(rest)] = input_byte(input);
	memory_put(at + ENDING_STAT_RESULT, rest, sizeof(rest));
	memory_put(at + ENDING_STAT, &st, sizeof(st));
	memory_put(at + ENDING_FD, &fd, sizeof(fd));
	memory_put(at + ENDING_GENERATION, &generation, sizeof(generation));
	memory_put(FAST_ENDING_STATES + number * sizeof(state), &state, sizeof(state));
	memory_put(FAST_ENDED, &ended, sizeof(ended));
}

/* As attempt.S leaves it, or otherwise. */
static void put_attempt(const struct bench *b, struct input *input)
{
	const uint32_t number = input_byte(input) % FAST_ATTEMPT_COUNT, fd = some_fd(b, input);
	const uint32_t generation = input_byte(input) << FAST_STEP_BIT, state = input_byte(input) & 3;
	const uint32_t attempted = input_byte(input), outcome = input_byte(input) & 7;
	const uint64_t at = FAST_ATTEMPTS + (number << FAST_ATTEMPT_BITS);
	const int64_t result = -(int64_t)input_byte(input);
	struct stat st = {.st_mode = outcome & 4 ? S_IFREG : S_IFSOCK, .st_ino = input_byte(input)};
	uint8_t rest[ATTEMPT_END - ATTEMPT_SINCE] = {0};

	for (unsigned int i = input_byte(input); i; i--)
		rest[input_number(input, 2) % sizeof(rest)] = input_byte(input);
	memory_put(at + ATTEMPT_SINCE, rest, sizeof(rest));
	memory_put(at + ATTEMPT_RESULT, &result, sizeof(result));
	memory_put(at + ATTEMPT_FD, &fd, sizeof(fd));
	memory_put(at + ATTEMPT_GENERATION, &generation, sizeof(generation));
	memory_put(at + ATTEMPT_OUTCOME, &outcome, sizeof(outcome));
	memory_put(at + ATTEMPT_STAT, &st, sizeof(st));
	memory_put(FAST_ATTEMPT_STATES + number * sizeof(state), &state, sizeof(state));
	memory_put(FAST_ATTEMPTED, &attempted, sizeof(attempted));
}

/* Whatever stands in the rings: what is told can be true, and the tracer has not worked long for it. */
static void check(const struct bench *b)
{
	for (uint32_t i = 0; i < b->t->out.count; i++) {
		const struct pt_record *record = &b->t->out.records[i];

		if (record->kind != PT_TRANSFER)
			continue;
		HOLDS(record->direction == PT_SENT || record->direction == PT_RECEIVED);
		HOLDS(record->calls && record->bytes <= record->calls * MAX_RW_COUNT);
		HOLDS(record->error >= 0 && record->error <= MAX_ERRNO && pt_syscall_name(record->syscall));
	}
	for (unsigned int i = 0; i < FAST_RINGS; i++)
		HOLDS(b->image->rings[i].gap_count <= FAST_THREADS + 1);
}

void fuzz_rings(struct input *input)
{
	struct bench b = begin(input);

	for (unsigned int i = 0; i < STEPS_MOST && input->left; i++) {
		switch (input_byte(input) % 10) {
		case 0:
		case 1:
			put_head(&b, input);
			break;
		case 2:
		case 3:
			put_record(&b, input);
			break;
		case 4:
			half_way(&b, input);
			break;
		case 5:
			slot(&b, input);
			break;
		case 6:
			put_ending(&b, input);
			break;
		case 7:
			put_attempt(&b, input);
			break;
		case 8:
			if (input_byte(input) == 0)
				memory_hide_rings();
			break;
		default:
			drain_now(b.t, b.image);
			check(&b);
		}
	}
	drain_now(b.t, b.image);
	check(&b);
	end(&b);
}
