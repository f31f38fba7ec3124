/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Feeds the core what a hostile tracee may have in its memory, its registers and its /proc. By libFuzzer, with the
 * address and undefined-behaviour sanitizers. Debian: clang and libclang-rt-dev. From the repository's folder:
 *
 *   cmake -G Ninja -S native -B build/fuzz -DPTMON_FUZZ=ON -DCMAKE_C_COMPILER=clang -DCMAKE_ASM_COMPILER=gcc
 *   cmake --build build/fuzz
 *   mkdir -p build/corpus && build/fuzz/fuzz/fuzz_tracee -timeout=10 -max_len=4096 -max_total_time=3600 build/corpus
 *
 * The first byte of an input says which part it is for. What is found is kept as crash-HASH in the folder where it
 * runs: fuzz_tracee crash-HASH shows it again.
 */
#include <string.h>

#include "fuzz.h"

uint64_t input_number(struct input *input, size_t bytes)
{
	const size_t part = bytes < input->left ? bytes : input->left;
	uint64_t number = 0;

	if (part)
		memcpy(&number, input->at, part);
	input->at += part;
	input->left -= part;
	return number;
}

void sites_make(struct image *image, struct input *input)
{
	/* As compilers make it: mov eax, 45; syscall; cmp rax, -4095. Then the call alone, and a jump. */
	static const uint8_t code[][SITE_BYTES] = {
		{0xb8, 0x2d, 0, 0, 0, 0x0f, 0x05, 0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff},
		{0x0f, 0x05, 0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff},
		{0xb8, 0x2c, 0, 0, 0, 0x0f, 0x05, 0xeb, 0x10},
	};
	static const uint8_t before[] = {5, 0, 5}, after[] = {6, 6, 2}, jump[] = {0, 0, 2};
	const unsigned int count = 1 + input_byte(input) % 8;

	image->sites = calloc(count, sizeof(*image->sites));
	HOLDS(image->sites);
	image->stubs_end = FAST_STUBS_FIRST;
	image->by_request = true;
	for (unsigned int i = 0; i < count; i++) {
		const unsigned int shape = input_byte(input) % 3;
		struct fast_site *site = &image->sites[image->site_count++];

		*site = (struct fast_site){
			.call = PROGRAM + i * 64 + before[shape],
			.begin = PROGRAM + i * 64,
			.before = before[shape],
			.after = after[shape],
			.jump = jump[shape],
			.stub = &stub_table[input_byte(input) % (stub_table_end - stub_table)],
			.stub_at = image->stubs_end,
		};
		memcpy(site->original, code[shape], sizeof(code[shape]));
		image->stubs_end += (site->stub->size + 15) & ~15u;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static void (*const parts[])(struct input *) = {fuzz_rings, fuzz_table, fuzz_sites, fuzz_maps, fuzz_frames};
	struct input input = {bytes, size};
	const uint8_t part = input_byte(&input);

	memory_begin();
	parts[part % (sizeof(parts) / sizeof(parts[0]))](&input);
	return 0;
}
