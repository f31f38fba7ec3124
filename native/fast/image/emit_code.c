/* SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fast/image/emit_code.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fast/image/layout.h"
#include "fast/image/twin.h"
#include "machine/memory.h"
#include "machine/pieces.h"

#define JUMP_SIZE SITE_LEAST
#define LOOKED_AT 128 /* sites at once */

_Static_assert(SITE_BEFORE <= FAST_ROOM_BEFORE && SITE_AFTER <= FAST_ROOM_AFTER, "rooms of stubs");
_Static_assert(TWIN_DONE + SITE_AFTER + 14 <= 1 << FAST_TWIN_BITS, "a twin has its replay, and a jump");

/* jmp [rip + 0], and the address behind it */
static void put_jump(uint8_t to[14], uint64_t target)
{
	static const uint8_t jump[6] = {0xff, 0x25, 0, 0, 0, 0};

	memcpy(to, jump, sizeof(jump));
	memcpy(to + sizeof(jump), &target, sizeof(target));
}

static const uint8_t *behind_call(const struct fast_site *site)
{
	return site->original + site->before + 2;
}

/* Bytes of the instructions behind the call that stub and twin have. A jump at their end is not among them: it is made
 * by the jump that leads back. */
static unsigned int replayed(const struct fast_site *site)
{
	return (unsigned int)site->after - site->jump;
}

/* Where the program goes on. */
static uint64_t back(const struct fast_site *site)
{
	const uint64_t end = site->call + 2 + site->after;
	const uint8_t *last = site->original + site_size(site);
	int32_t displacement;

	if (site->jump == 0)
		return end;
	if (site->jump < 1 + sizeof(displacement)) /* rel8 */
		return end + (uint64_t)(int64_t)(int8_t)last[-1];
	memcpy(&displacement, last - sizeof(displacement), sizeof(displacement));
	return end + (uint64_t)(int64_t)displacement;
}

/* The replaced instructions, and nops in the rest of the room. */
static void fill_room(uint8_t *to, unsigned int room, const uint8_t *from, unsigned int length)
{
	static const uint8_t nops[][8] = {{0x90},
					  {0x66, 0x90},
					  {0x0f, 0x1f, 0x00},
					  {0x0f, 0x1f, 0x40, 0},
					  {0x0f, 0x1f, 0x44, 0, 0},
					  {0x66, 0x0f, 0x1f, 0x44, 0, 0},
					  {0x0f, 0x1f, 0x80, 0, 0, 0, 0},
					  {0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0}};

	memcpy(to, from, length);
	while (length < room) {
		unsigned int part = room - length < 8 ? room - length : 8;

		memcpy(to + length, nops[part - 1], part);
		length += part;
	}
}

static void make_stub(const struct image *image, const struct fast_site *site, uint8_t *to)
{
	const struct stub *stub = site->stub;
	const uint64_t to_site = back(site), to_twin = image_twin(image, site) + (image->by_request ? 0 : TWIN_CALL);

	memcpy(to, stub->begin, stub->size);
	fill_room(to, FAST_ROOM_BEFORE, site->original, site->before);
	fill_room(to + stub->tail, FAST_ROOM_AFTER, behind_call(site), replayed(site));
	memcpy(to + stub->to_site, &to_site, sizeof(to_site));
	memcpy(to + stub->to_twin, &to_twin, sizeof(to_twin));
}

/* mov r11d, call; jmp request_begin: without a filter the thread has to request that the tracer looks at that call */
static void put_request(uint8_t to[TWIN_CALL], uint64_t twin)
{
	const uint32_t call = (uint32_t)twin + TWIN_CALL, distance = (uint32_t)(FAST_REQUEST - (twin + 11));

	to[0] = 0x41;
	to[1] = 0xbb;
	memcpy(to + 2, &call, sizeof(call));
	to[6] = 0xe9;
	memcpy(to + 7, &distance, sizeof(distance));
}

static void make_twin(const struct image *image, const struct fast_site *site, uint8_t to[1 << FAST_TWIN_BITS])
{
	uint8_t *at = to + TWIN_CALL;

	memset(to, 0xcc, 1 << FAST_TWIN_BITS); /* int3 */
	put_request(to, image_twin(image, site));
	*at++ = 0x0f; /* syscall */
	*at++ = 0x05;
	memcpy(at, behind_call(site), replayed(site));
	put_jump(at + replayed(site), back(site));
}

/* What belongs to the sites from one on. */
struct made {
	uint32_t begin; /* address of the stubs */
	uint32_t size;
	uint64_t twin_at;
	uint64_t pointer_at;
	unsigned int count;
	uint8_t *stubs;
	uint8_t *twins;
	uint64_t *pointers;
};

/* There is one at least. 0 or -errno; what is in *made is to be freed in any case. */
static int make(const struct image *image, unsigned int first, struct made *made)
{
	*made = (struct made){
		.begin = image->sites[first].stub_at,
		.size = image->stubs_end - image->sites[first].stub_at,
		.twin_at = image_twin(image, &image->sites[first]),
		.pointer_at = FAST_POINTERS + first * sizeof(*made->pointers),
		.count = image->site_count - first,
	};
	made->stubs = calloc(1, made->size);
	made->twins = calloc(made->count, 1 << FAST_TWIN_BITS);
	made->pointers = calloc(made->count, sizeof(*made->pointers));
	if (!made->stubs || !made->twins || !made->pointers)
		return -ENOMEM;
	for (unsigned int i = 0; i < made->count; i++) {
		const struct fast_site *site = &image->sites[first + i];

		make_stub(image, site, made->stubs + (site->stub_at - made->begin));
		make_twin(image, site, made->twins + ((size_t)i << FAST_TWIN_BITS));
		made->pointers[i] = site->stub_at;
	}
	return 0;
}

static void free_made(struct made *made)
{
	free(made->stubs);
	free(made->twins);
	free(made->pointers);
}

int emit_code_stubs(const struct image *image, pid_t tid, unsigned int first)
{
	const struct memory_code code = memory_code_begin(tid);
	struct made made;
	int error = make(image, first, &made);

	if (!error)
		error = memory_code_write(&code, made.begin, made.stubs, made.size);
	if (!error)
		error = memory_code_write(&code, made.twin_at, made.twins, (size_t)made.count << FAST_TWIN_BITS);
	if (!error)
		error = memory_code_write(&code, made.pointer_at, made.pointers, made.count * sizeof(*made.pointers));
	free_made(&made);
	memory_code_end(&code);
	return error;
}

static bool stands(pid_t tid, uint64_t address, const void *wanted, size_t size)
{
	void *found = malloc(size);
	bool same = found && memory_read(tid, address, found, size) == 0 && memcmp(found, wanted, size) == 0;

	free(found);
	return same;
}

bool emit_code_matches(const struct image *image, pid_t tid)
{
	struct made made;
	bool matches;

	if (!stands(tid, FAST_REQUEST, request_begin, (size_t)(request_end - request_begin)) ||
	    !stands(tid, FAST_ENDING, ending_begin, (size_t)(ending_end - ending_begin)) ||
	    !stands(tid, FAST_ATTEMPT, attempt_begin, (size_t)(attempt_end - attempt_begin)))
		return false;
	if (!image->site_count)
		return true;
	matches = make(image, 0, &made) == 0 && stands(tid, made.begin, made.stubs, made.size) &&
		  stands(tid, made.twin_at, made.twins, (size_t)made.count << FAST_TWIN_BITS) &&
		  stands(tid, made.pointer_at, made.pointers, made.count * sizeof(*made.pointers));
	free_made(&made);
	return matches;
}

/* jmp [pointer]: 7 bytes, for the address is below 2 GiB. Behind it the replaced bytes stand as they were, but nothing
 * runs them. */
void emit_code_make_jump(const struct fast_site *site, uint64_t pointer, uint8_t to[SITE_BYTES])
{
	const uint32_t address = (uint32_t)pointer;

	memcpy(to, site->original, sizeof(site->original));
	to[0] = 0xff;
	to[1] = 0x24;
	to[2] = 0x25;
	memcpy(to + 3, &address, sizeof(address));
}

int emit_code_jump(const struct memory_code *code, const struct fast_site *site, uint64_t pointer)
{
	uint8_t jump[sizeof(site->original)];

	emit_code_make_jump(site, pointer, jump);
	return memory_code_write(code, site->begin, jump, JUMP_SIZE);
}

int emit_code_jump_tail(const struct memory_code *code, const struct fast_site *site, uint64_t pointer)
{
	uint8_t jump[sizeof(site->original)];

	emit_code_make_jump(site, pointer, jump);
	return memory_code_write(code, site->begin + 1, jump + 1, JUMP_SIZE - 1);
}

int emit_code_original_tail(const struct memory_code *code, const struct fast_site *site)
{
	return memory_code_write(code, site->begin + 1, site->original + 1, JUMP_SIZE - 1);
}

int emit_code_original(const struct memory_code *code, const struct fast_site *site)
{
	return memory_code_write(code, site->begin, site->original, site_size(site));
}

void emit_code_look(struct image *image, pid_t tid, unsigned int first)
{
	struct piece pieces[LOOKED_AT];

	for (unsigned int at = first; at < image->site_count; at += LOOKED_AT) {
		struct fast_site *sites = &image->sites[at];
		unsigned int count = image->site_count - at;

		if (count > LOOKED_AT)
			count = LOOKED_AT;
		for (unsigned int i = 0; i < count; i++)
			pieces[i] = (struct piece){
				.address = sites[i].begin,
				.to = sites[i].now.bytes,
				.length = site_size(&sites[i]),
			};
		pieces_read(tid, pieces, count);
		for (unsigned int i = 0; i < count; i++)
			sites[i].now.read = pieces[i].read;
	}
}

bool emit_code_has_original(const struct fast_site *site)
{
	return site->now.read && memcmp(site->now.bytes, site->original, site_size(site)) == 0;
}

bool emit_code_has_jump(const struct fast_site *site, uint64_t pointer)
{
	uint8_t jump[sizeof(site->original)];

	emit_code_make_jump(site, pointer, jump);
	return site->now.read && memcmp(site->now.bytes, jump, site_size(site)) == 0;
}
