/* SPDX-License-Identifier: GPL-2.0-or-later
 * Surroundings of syscall instructions that are met all over: in glibc, and in musl. */
#include <string.h>

#include "fast/scan/ranges.h"

/* What is replaced wherever it is met; the range is what comes before the syscall and that many bytes after it. */
static const struct pattern {
	uint8_t before;
	uint8_t after;
	uint8_t nearest; /* bytes of the instruction right before the syscall; the rest of before is the next one */
	bool repeatable;
	uint8_t length;
	uint8_t bytes[12];
} patterns[] = {
	/* syscall; cmp rax, -4096 or -4095 */
	{0, 6, 0, true, 8, {0x0f, 0x05, 0x48, 0x3d, 0x00, 0xf0, 0xff, 0xff}},
	{0, 6, 0, true, 8, {0x0f, 0x05, 0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff}},
	/* mov [rsp+8], r11; syscall; ret: signalled.c knows where r11 is */
	{5, 0, 5, true, 8, {0x4c, 0x89, 0x5c, 0x24, 0x08, 0x0f, 0x05, 0xc3}},
	/* mov rax, [rsp+16]; syscall; pop rbx; ret */
	{5, 0, 5, true, 9, {0x48, 0x8b, 0x44, 0x24, 0x10, 0x0f, 0x05, 0x5b, 0xc3}},
	/* mov r9, [rsp+8]; mov rdx, rcx; syscall; ret */
	{8, 0, 3, false, 11, {0x4c, 0x8b, 0x4c, 0x24, 0x08, 0x48, 0x89, 0xca, 0x0f, 0x05, 0xc3}},
};

static bool is_there(const struct ground *ground, size_t call, const uint8_t *back, const struct pattern *pattern)
{
	size_t begin = call - pattern->before;

	if (call < pattern->before || ground->size - begin < pattern->length ||
	    memcmp(ground->code + begin, pattern->bytes, pattern->length) != 0)
		return false;
	/* What comes after are whole instructions, for that is where the sweep goes on. */
	if (pattern->before == 0)
		return true;
	return back[0] == pattern->nearest && (pattern->nearest == pattern->before || back[1] == pattern->before);
}

void range_take_pattern(const struct ground *ground, struct site *site, const uint8_t *back)
{
	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		if (!is_there(ground, site->offset, back, &patterns[i]))
			continue;
		site->patchable = true;
		site->before = patterns[i].before;
		site->after = patterns[i].after;
		site->repeatable = patterns[i].repeatable;
		return;
	}
}
