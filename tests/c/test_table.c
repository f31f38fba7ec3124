/* SPDX-License-Identifier: GPL-2.0-or-later
 * The hand-over table: what a tracer has left is taken over, and nothing that anybody else may have written. This
 * process is tracee and tracer in one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "fast/image/emit_code.h"
#include "fast/image/handover.h"
#include "fast/image/image.h"
#include "fast/image/layout.h"
#include "machine/memory.h"

#define SITES 3
#define ROW (1u << FAST_TABLE_ROW_BITS)

/* Offsets in a row and in what the table begins with: handover.c. */
enum { CALL = 0, BEGIN = 8, STUB_AT = 16, STUB = 20, BEFORE = 21, AFTER = 22, JUMP = 23, REPEATABLE = 24, BYTES = 25 };
enum { VERSION = 0, COUNT = 8, STUBS_END = 12 };

/* Code as compilers make it: mov eax, 45; syscall; cmp rax, -4095. Then the call alone, and a jump. */
static const uint8_t code[SITES][SITE_BYTES] = {
	{0xb8, 0x2d, 0, 0, 0, 0x0f, 0x05, 0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff},
	{0x0f, 0x05, 0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff},
	{0xb8, 0x2c, 0, 0, 0, 0x0f, 0x05, 0xeb, 0x10},
};
static const struct {
	uint8_t before;
	uint8_t after;
	uint8_t jump;
} shapes[SITES] = {{5, 6, 0}, {0, 6, 0}, {5, 2, 2}};

static void put(uint64_t address, const void *from, size_t length)
{
	CHECK(memory_write_code(getpid(), address, from, length) == 0);
}

static uint64_t row_at(unsigned int index)
{
	return FAST_TABLE + (uint64_t)(index + 1) * ROW;
}

static void map(int protection)
{
	CHECK(mmap((void *)(uintptr_t)FAST_DATA, FAST_DATA_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == (void *)(uintptr_t)FAST_DATA);
	CHECK(mmap((void *)(uintptr_t)FAST_CODE, FAST_CODE_SIZE, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		   -1, 0) == (void *)(uintptr_t)FAST_CODE);
}

/* What a tracer leaves that has patched these sites. */
static void leave(const uint8_t *program)
{
	const uint64_t magic = FAST_MAGIC_WORD;
	struct image image = {.reader = getpid(), .stubs_end = FAST_STUBS_FIRST, .by_request = true};

	image.sites = calloc(SITES, sizeof(*image.sites));
	CHECK(image.sites);
	for (unsigned int i = 0; i < SITES; i++) {
		struct fast_site *site = &image.sites[image.site_count++];

		*site = (struct fast_site){
			.call = (uint64_t)(uintptr_t)program + i * 64 + shapes[i].before,
			.begin = (uint64_t)(uintptr_t)program + i * 64,
			.before = shapes[i].before,
			.after = shapes[i].after,
			.jump = shapes[i].jump,
			.repeatable = true,
			.stub = &stub_table[i],
			.stub_at = image.stubs_end,
		};
		memcpy(site->original, code[i], sizeof(code[i]));
		image.stubs_end += (site->stub->size + 15) & ~15u;
	}
	map(PROT_READ | PROT_EXEC);
	put(FAST_REQUEST, request_begin, (size_t)(request_end - request_begin));
	put(FAST_ENDING, ending_begin, (size_t)(ending_end - ending_begin));
	put(FAST_ATTEMPT, attempt_begin, (size_t)(attempt_end - attempt_begin));
	CHECK(emit_code_stubs(&image, getpid(), 0) == 0 && handover_write(&image, getpid(), 0) == 0);
	memcpy((void *)(uintptr_t)FAST_MAGIC, &magic, sizeof(magic));
	free(image.sites);
}

/* What of it is taken over. */
static int adopt(unsigned int *sites)
{
	struct image image = {.reader = getpid()};
	int error = handover_read(&image);

	*sites = image.site_count;
	free(image.sites);
	return error;
}

static bool is_refused(void)
{
	unsigned int sites;

	return adopt(&sites) < 0 && sites == 0;
}

static void check_own(const uint8_t *program)
{
	unsigned int sites;

	leave(program);
	CHECK(handover_find(getpid()) == 1 && adopt(&sites) == 0 && sites == SITES);
	put(FAST_TABLE + COUNT, &(uint32_t){0}, 4);
	CHECK(adopt(&sites) == 0 && sites == 0);
}

/* One byte or word of a row, or of what stands before them. */
struct forged {
	uint64_t at;
	uint64_t value;
	unsigned int size;
};

static void check_forged(const uint8_t *program)
{
	const struct forged forged[] = {
		{FAST_TABLE + VERSION, 1, 8},
		{FAST_TABLE + COUNT, FAST_SITES + 1, 4},
		{FAST_TABLE + COUNT, UINT32_MAX, 4},
		{FAST_TABLE + COUNT, SITES + 1, 4}, /* a row of zeros */
		{FAST_TABLE + STUBS_END, 0, 4},
		{FAST_TABLE + STUBS_END, FAST_STUBS_FIRST, 4},
		{FAST_TABLE + STUBS_END, FAST_STUBS_END + 16, 4},
		{FAST_TABLE + STUBS_END, UINT32_MAX - 15, 4},
		{row_at(0) + CALL, 0, 8},
		{row_at(0) + CALL, UINT64_MAX, 8},
		{row_at(0) + BEGIN, 0, 8},
		{row_at(1) + BEGIN, UINT64_MAX, 8},
		{row_at(1) + STUB_AT, FAST_STUBS_FIRST - 16, 4},
		{row_at(1) + STUB_AT, FAST_STUBS_FIRST, 4}, /* the first one's */
		{row_at(1) + STUB_AT, FAST_STUBS_END - 16, 4},
		{row_at(1) + STUB_AT, UINT32_MAX - 15, 4},
		{row_at(2) + STUB, 255, 1},
		{row_at(2) + STUB, (uint64_t)(stub_table_end - stub_table), 1},
		{row_at(2) + STUB, 0, 1}, /* another stub than stands there */
		{row_at(0) + BEFORE, 255, 1},
		{row_at(0) + BEFORE, SITE_BEFORE + 1, 1},
		{row_at(0) + AFTER, 255, 1},
		{row_at(0) + AFTER, SITE_BYTES, 1},
		{row_at(1) + AFTER, SITE_LEAST - 3, 1},
		{row_at(2) + JUMP, 255, 1},
		{row_at(2) + JUMP, 1, 1},
		{row_at(2) + JUMP, 0, 1}, /* the twin goes elsewhere then */
		{row_at(1) + JUMP, 2, 1},
		{row_at(0) + REPEATABLE, 0x41, 1},
		{row_at(0) + BYTES + 5, 0xcd, 1}, /* no syscall instruction */
		{row_at(0) + BYTES + 6, 0x0b, 1},
		{row_at(0) + BYTES + 1, 0x2e, 1}, /* another call than in the stub */
		{FAST_POINTERS + 8, FAST_STUBS_FIRST, 4},
		{FAST_STUBS_FIRST + 40, 0xcc, 1},
		{FAST_ENDING + 40, 0xcc, 1},
		{FAST_ATTEMPT + 40, 0xcc, 1},
		{FAST_TWINS, 0xcc, 1},
		{FAST_REQUEST, 0xcc, 1},
	};

	for (size_t i = 0; i < sizeof(forged) / sizeof(forged[0]); i++) {
		leave(program);
		put(forged[i].at, &forged[i].value, forged[i].size);
		if (!is_refused())
			fprintf(stderr, "forged %zu: ", i);
		CHECK(is_refused());
	}
}

/* The program could change the stubs when they have been looked at, or somebody else could. */
static void check_memory(const uint8_t *program)
{
	static uint8_t copy[FAST_CODE_SIZE];

	leave(program);
	CHECK(mprotect((void *)(uintptr_t)FAST_CODE, FAST_CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
	CHECK(is_refused());
	CHECK(mprotect((void *)(uintptr_t)FAST_CODE, FAST_CODE_SIZE, PROT_READ) == 0 && is_refused());
	CHECK(mprotect((void *)(uintptr_t)FAST_CODE, FAST_CODE_SIZE, PROT_READ | PROT_EXEC) == 0 && !is_refused());
	CHECK(mprotect((void *)(uintptr_t)FAST_CODE, 4096, PROT_READ) == 0 && is_refused());
	memcpy(copy, (void *)(uintptr_t)FAST_CODE, sizeof(copy));
	CHECK(mmap((void *)(uintptr_t)FAST_CODE, FAST_CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
		   MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == (void *)(uintptr_t)FAST_CODE);
	memcpy((void *)(uintptr_t)FAST_CODE, copy, sizeof(copy));
	CHECK(mprotect((void *)(uintptr_t)FAST_CODE, FAST_CODE_SIZE, PROT_READ | PROT_EXEC) == 0 && is_refused());
	leave(program);
	CHECK(munmap((void *)(uintptr_t)FAST_DATA, 4096) == 0 && is_refused());
}

int main(void)
{
	uint8_t *program = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(program != MAP_FAILED);
	check_own(program);
	check_forged(program);
	check_memory(program);
	return 0;
}
