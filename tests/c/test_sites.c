/* SPDX-License-Identifier: GPL-2.0-only
 * System calls are found in order; what can be replaced, and which number is sure, is told only where nothing speaks
 * against it. */
#include <string.h>

#include "check.h"
#include "fast/sites.h"

#define CODE(bytes) (const uint8_t *)(bytes), sizeof(bytes) - 1
#define COMPARE "\x0f\x05\x48\x3d\x00\xf0\xff\xff"
#define COMPARE_TOO "\x0f\x05\x48\x3d\x01\xf0\xff\xff"
#define SPILL "\x4c\x89\x5c\x24\x08\x0f\x05\xc3"
#define RELOAD "\x48\x8b\x44\x24\x10\x0f\x05\x5b\xc3"
#define MOVE "\x4c\x8b\x4c\x24\x08\x48\x89\xca\x0f\x05\xc3"
#define MOV_EAX_1 "\xb8\x01\x00\x00\x00"
#define NOPS_16 "\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90"

/* The sites in memory that ends where the code ends, at most 4. */
static unsigned int find(const uint8_t *code, size_t size, struct site *first)
{
	uint8_t *copy = malloc(size);
	struct site *sites;
	unsigned int count;

	CHECK(size == 0 || copy);
	if (size > 0)
		memcpy(copy, code, size);
	CHECK(sites_find(copy, size, &sites, &count) == 0);
	CHECK(count <= 4);
	memcpy(first, sites, count * sizeof(*first));
	free(sites);
	free(copy);
	return count;
}

static struct site only(const uint8_t *code, size_t size)
{
	struct site sites[4];

	CHECK(find(code, size, sites) == 1);
	return sites[0];
}

static bool is(const uint8_t *code, size_t size, enum pattern pattern, uint32_t offset)
{
	struct site site = only(code, size);

	CHECK(!site.foreign);
	return site.pattern == pattern && site.offset == offset;
}

static void test_patterns(void)
{
	CHECK(is(CODE(COMPARE), PATTERN_COMPARE, 0));
	CHECK(is(CODE(COMPARE_TOO), PATTERN_COMPARE, 0));
	CHECK(is(CODE(SPILL), PATTERN_SPILL, 5));
	CHECK(is(CODE(RELOAD), PATTERN_RELOAD, 5));
	CHECK(is(CODE(MOVE), PATTERN_MOVE, 8));
	CHECK(is(CODE("\x90" MOVE), PATTERN_MOVE, 9));
	CHECK(is(CODE("\x0f\x05"), PATTERN_NONE, 0));
	CHECK(is(CODE("\x0f\x05\x48\x3d\x02\xf0\xff\xff"), PATTERN_NONE, 0));
	CHECK(is(CODE("\x48" COMPARE), PATTERN_NONE, 1)); /* with a prefix: the call is where 0F 05 is */
	CHECK(is(CODE("\x4c\x89\x5c\x24\x08\x0f\x05\x90"), PATTERN_NONE, 5)); /* no ret */
	CHECK(pattern_shape(PATTERN_COMPARE).before == 0 && pattern_shape(PATTERN_COMPARE).after == 6);
	CHECK(pattern_shape(PATTERN_SPILL).before == 5 && pattern_shape(PATTERN_SPILL).after == 0);
	CHECK(pattern_shape(PATTERN_RELOAD).before == 5 && pattern_shape(PATTERN_RELOAD).after == 0);
	CHECK(pattern_shape(PATTERN_MOVE).before == 8 && pattern_shape(PATTERN_MOVE).after == 0);
	CHECK(pattern_shape(PATTERN_NONE).before == 0 && pattern_shape(PATTERN_NONE).after == 0);
}

/* The bytes are there, but belong to another instruction. */
static void test_boundaries(void)
{
	struct site none[4];

	CHECK(find(CODE("\xb8" COMPARE), none) == 0);	/* mov eax, 0x3d48050f; ... */
	CHECK(is(CODE("\x66" SPILL), PATTERN_NONE, 6)); /* a prefix of the mov */
	CHECK(is(CODE("\x66" MOVE), PATTERN_NONE, 9));
	CHECK(is(CODE("\xb8\x01" MOVE), PATTERN_NONE, 10));	    /* mov eax, 0x4c8b4c01; and al, 8; mov rdx, rcx */
	CHECK(is(CODE("\xb8\x01\x02\x03" SPILL), PATTERN_NONE, 9)); /* mov eax, 0x4c030201; mov [rsp+8], ebx */
}

/* Jumps to the first byte are fine, ones into the middle are not; wherever they are. */
static void test_jumps(void)
{
	CHECK(is(CODE("\xeb\x00" COMPARE), PATTERN_COMPARE, 2));
	CHECK(is(CODE("\xeb\x02" COMPARE), PATTERN_NONE, 2)); /* to the cmp */
	CHECK(is(CODE("\xeb\x05" COMPARE), PATTERN_NONE, 2)); /* into the cmp */
	CHECK(is(CODE("\xeb\x08" COMPARE "\x90"), PATTERN_COMPARE, 2));
	CHECK(is(CODE(COMPARE "\x74\xf6"), PATTERN_COMPARE, 0));
	CHECK(is(CODE(COMPARE "\x74\xf8"), PATTERN_NONE, 0));
	CHECK(is(CODE(COMPARE "\x0f\x84\xf4\xff\xff\xff"), PATTERN_NONE, 0));
	CHECK(is(CODE(COMPARE "\xe8\xf5\xff\xff\xff"), PATTERN_NONE, 0)); /* a call */
	CHECK(is(CODE("\x74\x00" SPILL), PATTERN_SPILL, 7));
	CHECK(is(CODE("\x74\x05" SPILL), PATTERN_NONE, 7));  /* to the syscall */
	CHECK(is(CODE("\x74\x07" SPILL), PATTERN_SPILL, 7)); /* to the ret */
	CHECK(is(CODE("\x74\x05" RELOAD), PATTERN_NONE, 7));
	CHECK(is(CODE("\x74\x00" MOVE), PATTERN_MOVE, 10));
	CHECK(is(CODE("\x74\x05" MOVE), PATTERN_NONE, 10)); /* to its second instruction */
	CHECK(is(CODE("\x74\x08" MOVE), PATTERN_NONE, 10));
	CHECK(is(CODE("\xe9\x00\x00\x00\x80" COMPARE), PATTERN_COMPARE, 5)); /* out of the segment */
}

static bool known(const uint8_t *code, size_t size, uint32_t number)
{
	struct site site = only(code, size);

	CHECK(site.number_known || site.number == 0);
	return site.number_known && site.number == number;
}

static void test_numbers(void)
{
	CHECK(known(CODE(MOV_EAX_1 "\x0f\x05"), 1));
	CHECK(known(CODE(MOV_EAX_1 COMPARE), 1));
	CHECK(known(CODE("\x31\xc0" COMPARE), 0));
	CHECK(known(CODE("\x48\xc7\xc0\x0f\x00\x00\x00\x0f\x05"), 15));
	CHECK(known(CODE(MOV_EAX_1 "\x48\x89\xfe\x31\xff\x0f\x05"), 1));
	CHECK(known(CODE("\x31\xc0" MOV_EAX_1 "\x0f\x05"), 1));	 /* the last one counts */
	CHECK(known(CODE("\xeb\x00" MOV_EAX_1 "\x0f\x05"), 1));	 /* a jump to the mov */
	CHECK(known(CODE(MOV_EAX_1 "\x75\x02\x0f\x05\x90"), 1)); /* a jump past the call */
	CHECK(!only(CODE(COMPARE)).number_known);
	CHECK(!only(CODE(MOV_EAX_1 "\x89\xc8\x0f\x05")).number_known);		   /* mov eax, ecx */
	CHECK(!only(CODE(MOV_EAX_1 "\xe8\x00\x01\x00\x00\x0f\x05")).number_known); /* a function's result */
	CHECK(!only(CODE(MOV_EAX_1 "\xc3\x0f\x05")).number_known);		   /* not reached from there */
	CHECK(!only(CODE(MOV_EAX_1 "\x0f\x05\xeb\xfc")).number_known);		   /* a jump to the call */
	CHECK(!only(CODE(MOV_EAX_1 "\x31\xff\x0f\x05\xeb\xfa")).number_known);	   /* between */
	CHECK(!only(CODE("\xeb\x01" MOV_EAX_1 "\x0f\x05")).number_known);	   /* into the mov */
	CHECK(only(CODE(MOV_EAX_1 COMPARE "\xeb\xf6")).pattern == PATTERN_COMPARE);
}

static void test_order(void)
{
	struct site sites[4];

	CHECK(find(CODE(""), sites) == 0);
	CHECK(find(CODE("\x0f"), sites) == 0);
	CHECK(find(CODE(MOV_EAX_1 "\x0f\x05\x0f\x05\xcd\x80\x0f\x34"), sites) == 4);
	CHECK(sites[0].offset == 5 && sites[0].number_known && !sites[0].foreign);
	CHECK(sites[1].offset == 7 && !sites[1].number_known); /* eax is what the first one returned */
	CHECK(sites[2].offset == 9 && sites[2].foreign && sites[3].offset == 11 && sites[3].foreign);
	CHECK(find(CODE(MOV_EAX_1 "\xcd\x80"), sites) == 1);
	CHECK(sites[0].foreign && sites[0].number_known && sites[0].number == 1);
}

/* After bytes that are no instruction the sweep may be off. */
static void test_lost(void)
{
	CHECK(only(CODE("\x06" COMPARE)).pattern == PATTERN_NONE);
	CHECK(!only(CODE("\x06" MOV_EAX_1 "\x0f\x05")).number_known);
	CHECK(is(CODE("\x06" NOPS_16 "\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90" COMPARE),
		 PATTERN_NONE, 32));
	CHECK(is(CODE("\x06" NOPS_16 NOPS_16 COMPARE), PATTERN_COMPARE, 33));
	CHECK(is(CODE(COMPARE "\x06"), PATTERN_COMPARE, 0));
}

static void test_cut(void)
{
	static const char code[] = MOV_EAX_1 COMPARE SPILL RELOAD MOVE "\x62\xf3\x7d\x48\x3e\x07\x01";
	struct site sites[4];

	for (size_t size = 0; size < sizeof(code); size++)
		CHECK(find((const uint8_t *)code, size, sites) <= 4);
	CHECK(find((const uint8_t *)code, sizeof(code) - 1, sites) == 4);
	CHECK(sites[0].pattern == PATTERN_COMPARE && sites[1].pattern == PATTERN_SPILL);
	CHECK(sites[2].pattern == PATTERN_RELOAD && sites[3].pattern == PATTERN_MOVE);
}

/* More than the first allocation holds. */
static void test_many(void)
{
	static uint8_t code[2000];
	struct site *sites;
	unsigned int count;

	for (size_t i = 0; i < sizeof(code); i += 2)
		memcpy(code + i, "\x0f\x05", 2);
	CHECK(sites_find(code, sizeof(code), &sites, &count) == 0);
	CHECK(count == 1000 && sites[999].offset == 1998);
	free(sites);
}

int main(void)
{
	test_patterns();
	test_boundaries();
	test_jumps();
	test_numbers();
	test_order();
	test_lost();
	test_cut();
	test_many();
	return 0;
}
