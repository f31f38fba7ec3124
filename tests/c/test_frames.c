/* SPDX-License-Identifier: GPL-2.0-or-later
 * Signal frames in the words of a stack: what looks like one, wherever it lies. */
#include "fast/patch/signal_frames.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ucontext.h>
#include <unistd.h>

#include "check.h"

#define SEGMENTS 0x002b000000000033u

struct seen {
	struct frame frames[8];
	int count;
	int error;
};

static int see(void *context, const struct frame *frame)
{
	struct seen *seen = context;

	CHECK(seen->count < 8);
	seen->frames[seen->count++] = *frame;
	return seen->error;
}

static struct seen signal_frames_in(const uint64_t *words, size_t count)
{
	struct seen seen = {.count = 0};

	CHECK(signal_frames_each(words, count, 0x1000, see, &seen) == 0);
	return seen;
}

static void test_a_frame_is_told_by_its_segments(void)
{
	uint64_t words[12] = {[1] = 42, [3] = 0x7000, [4] = 0x4000, [6] = SEGMENTS};
	struct seen seen = signal_frames_in(words, 12);

	CHECK(seen.count == 1);
	CHECK(seen.frames[0].at == 0x1000 + 4 * 8);
	CHECK(seen.frames[0].instruction == 0x4000 && seen.frames[0].stack == 0x7000 && seen.frames[0].result == 42);
}

static void test_what_lies_before_the_words_is_not_read(void)
{
	const uint64_t words[6] = {SEGMENTS, SEGMENTS, SEGMENTS, SEGMENTS, SEGMENTS, SEGMENTS};

	for (size_t count = 0; count <= 5; count++)
		CHECK(signal_frames_in(words, count).count == 0);
	CHECK(signal_frames_in(words, 6).count == 1);
}

static void test_an_error_ends_the_search(void)
{
	const uint64_t words[8] = {[5] = SEGMENTS, [6] = SEGMENTS, [7] = SEGMENTS};
	struct seen seen = {.error = -7};

	CHECK(signal_frames_each(words, 8, 0, see, &seen) == -7 && seen.count == 1);
}

static struct seen of_handler;
static ucontext_t *context_of_handler;

/* The words from the context on; the frame of this very signal is among them. */
static void on_signal(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info;
	context_of_handler = context;
	of_handler = signal_frames_in(context, sizeof(ucontext_t) / sizeof(uint64_t) / 2);
}

static void test_the_kernel_s_own_frame_is_one(void)
{
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
	const greg_t *registers;

	CHECK(sigaction(SIGUSR1, &action, NULL) == 0 && raise(SIGUSR1) == 0);
	CHECK(of_handler.count == 1);
	registers = context_of_handler->uc_mcontext.gregs;
	CHECK(of_handler.frames[0].at - 0x1000 == (uintptr_t)&registers[REG_RIP] - (uintptr_t)context_of_handler);
	CHECK(of_handler.frames[0].result == 0);
}

static struct frames found;
static int last_error;

static uint64_t elsewhere(const void *context, uint64_t address, int64_t result)
{
	(void)result;
	return address == *(const uint64_t *)context ? address + 1 : 0;
}

static unsigned int find(uint64_t *words, uint64_t address)
{
	struct stack_pointer pointer = {(uintptr_t)words, getpid()};

	free(found.list);
	last_error = signal_frames_find(getpid(), &pointer, 1, elsewhere, &address, &found);
	return found.count;
}

static uint64_t *map(size_t size, int flags)
{
	uint64_t *words = mmap(NULL, size, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CHECK(words != MAP_FAILED);
	return words;
}

static void put(uint64_t *words, size_t at, uint64_t instruction, const uint64_t *stack)
{
	words[at + 3] = (uintptr_t)stack;
	words[at + 4] = instruction;
	words[at + 6] = SEGMENTS;
}

/* Pieces are read one by one, and empty pages not at all: a frame may lie across two. */
static void test_frames_are_found_wherever_pages_end(void)
{
	uint64_t *words = map(4 << 20, MAP_PRIVATE);

	for (size_t place = 0; place < 16; place++) {
		memset(words, 0, 1 << 20);
		put(words, 64 * 512 - 8 + place, 0xabc, words);
		CHECK(find(words, 0xabc) == 1 && last_error == 0);
		CHECK(found.list[0].at == (uintptr_t)&words[64 * 512 - 8 + place + 4] && found.list[0].tid == getpid());
	}
	CHECK(munmap(words, 4 << 20) == 0);
}

static void test_a_frame_leads_to_another_stack_and_that_one_back(void)
{
	uint64_t *one = map(1 << 16, MAP_PRIVATE), *gap = map(1 << 16, MAP_PRIVATE), *other = map(1 << 16, MAP_PRIVATE);

	CHECK(mprotect(gap, 1 << 16, PROT_NONE) == 0);
	put(one, 100, 1, other);
	put(other, 100, 0xabc, one + 50);
	CHECK(find(one, 0xabc) == 1 && last_error == 0);
	CHECK(found.list[0].at == (uintptr_t)&other[104]);
	CHECK(munmap(one, 1 << 16) == 0 && munmap(gap, 1 << 16) == 0 && munmap(other, 1 << 16) == 0);
}

static void test_more_memory_than_may_be_read_is_refused(void)
{
	const size_t each = STACKS_DEPTH, count = STACKS_LARGEST / STACKS_DEPTH + 1;
	struct stack_pointer pointers[STACKS_LARGEST / STACKS_DEPTH + 1];
	uint64_t *words = map(each * count, MAP_PRIVATE), address = 1;

	for (size_t i = 0; i < count; i++)
		pointers[i] = (struct stack_pointer){(uintptr_t)words + i * each, getpid()};
	free(found.list);
	CHECK(signal_frames_find(getpid(), pointers, (unsigned int)count, elsewhere, &address, &found) == 0);
	memset(words, 1, each * count);
	CHECK(signal_frames_find(getpid(), pointers, (unsigned int)count, elsewhere, &address, &found) < 0);
	CHECK(munmap(words, each * count) == 0);
}

static void test_memory_full_of_what_looks_like_frames_is_refused(void)
{
	uint64_t *words = map(STACKS_DEPTH, MAP_PRIVATE);

	for (size_t i = 0; i < STACKS_DEPTH / sizeof(*words); i++)
		words[i] = SEGMENTS;
	find(words, SEGMENTS);
	CHECK(last_error < 0);
	CHECK(munmap(words, STACKS_DEPTH) == 0);
}

static void test_a_stack_that_others_may_write_is_refused(void)
{
	uint64_t *words = map(1 << 16, MAP_SHARED);

	find(words, 1);
	CHECK(last_error < 0);
	CHECK(munmap(words, 1 << 16) == 0);
	find(words, 1); /* nothing is there any more, and so no frame */
	CHECK(last_error == 0 && found.count == 0);
}

static void test_only_what_is_there_is_peeked_at(void)
{
	uint64_t *words = map(1 << 16, MAP_PRIVATE), now[2];

	words[511] = 5;
	CHECK(stacks_peek(getpid(), (uintptr_t)&words[510], now, sizeof(now)) == 0 && now[1] == 5);
	CHECK(stacks_peek(getpid(), (uintptr_t)&words[511], now, sizeof(now)) < 0); /* the next page was never there */
	CHECK(stacks_peek(getpid(), UINT64_MAX - 7, now, sizeof(now)) < 0);
	CHECK(munmap(words, 1 << 16) == 0);
}

int main(void)
{
	test_a_frame_is_told_by_its_segments();
	test_what_lies_before_the_words_is_not_read();
	test_an_error_ends_the_search();
	test_the_kernel_s_own_frame_is_one();
	test_frames_are_found_wherever_pages_end();
	test_a_frame_leads_to_another_stack_and_that_one_back();
	test_more_memory_than_may_be_read_is_refused();
	test_memory_full_of_what_looks_like_frames_is_refused();
	test_a_stack_that_others_may_write_is_refused();
	test_only_what_is_there_is_peeked_at();
	free(found.list);
	return 0;
}
