/* SPDX-License-Identifier: GPL-2.0-or-later
 * System calls are found in order; what can be replaced, and which number is sure, is told only where nothing speaks
 * against it. */
#include <string.h>

#include "check.h"
#include "fast/scan/sites.h"

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

/* What a site has in front of the call and behind it; or nothing can be replaced. */
#define COMPARES 0, 6
#define SPILLS 5, 0
#define RELOADS 5, 0
#define MOVES 8, 0
#define NONE -1, 0

static bool has(const struct site *site, int before, int after)
{
	if (!site->patchable)
		return before < 0 && site->before == 0 && site->after == 0;
	CHECK(site->before + 2 + site->after >= SITE_LEAST && site->before + 2 + site->after <= SITE_BYTES);
	return site->before == before && site->after == after;
}

static bool is(const uint8_t *code, size_t size, int before, int after, uint32_t offset)
{
	struct site site = only(code, size);

	CHECK(!site.foreign);
	if (site.patchable)
		CHECK(memcmp(site.bytes, code + site.offset - site.before, site.before + 2u + site.after) == 0);
	return has(&site, before, after) && site.offset == offset;
}

static void test_patterns(void)
{
	CHECK(is(CODE(COMPARE), COMPARES, 0));
	CHECK(is(CODE(COMPARE_TOO), COMPARES, 0));
	CHECK(is(CODE(SPILL), SPILLS, 5));
	CHECK(is(CODE(RELOAD), RELOADS, 5));
	CHECK(is(CODE(MOVE), MOVES, 8));
	CHECK(is(CODE("\x90" MOVE), MOVES, 9));
	CHECK(is(CODE("\x0f\x05"), NONE, 0));
	CHECK(is(CODE("\x0f\x05\x48\x3d\x02\xf0\xff\xff"), NONE, 0));
	CHECK(is(CODE("\x48" COMPARE), NONE, 1));		      /* with a prefix: the call is where 0F 05 is */
	CHECK(is(CODE("\x4c\x89\x5c\x24\x08\x0f\x05\x90"), NONE, 5)); /* no ret */
}

/* The bytes are there, but belong to another instruction. */
static void test_boundaries(void)
{
	struct site none[4];

	CHECK(find(CODE("\xb8" COMPARE), none) == 0); /* mov eax, 0x3d48050f; ... */
	CHECK(is(CODE("\x66" SPILL), NONE, 6));	      /* a prefix of the mov */
	CHECK(is(CODE("\x66" MOVE), NONE, 9));
	CHECK(is(CODE("\xb8\x01" MOVE), NONE, 10));	    /* mov eax, 0x4c8b4c01; and al, 8; mov rdx, rcx */
	CHECK(is(CODE("\xb8\x01\x02\x03" SPILL), 9, 0, 9)); /* mov eax, 0x4c030201; mov [rsp+8], ebx */
}

/* Jumps to the first byte are fine, ones into the middle are not; wherever they are. */
static void test_jumps(void)
{
	CHECK(is(CODE("\xeb\x00" COMPARE), COMPARES, 2));
	CHECK(is(CODE("\xeb\x02" COMPARE), NONE, 2)); /* to the cmp */
	CHECK(is(CODE("\xeb\x05" COMPARE), NONE, 2)); /* into the cmp */
	CHECK(is(CODE("\xeb\x08" COMPARE "\x90"), COMPARES, 2));
	CHECK(is(CODE(COMPARE "\x74\xf6"), COMPARES, 0));
	CHECK(is(CODE(COMPARE "\x74\xf8"), NONE, 0));
	CHECK(is(CODE(COMPARE "\x0f\x84\xf4\xff\xff\xff"), NONE, 0));
	CHECK(is(CODE(COMPARE "\xe8\xf5\xff\xff\xff"), NONE, 0)); /* a call */
	CHECK(is(CODE("\x74\x00" SPILL), SPILLS, 7));
	CHECK(is(CODE("\x74\x05" SPILL), NONE, 7));   /* to the syscall */
	CHECK(is(CODE("\x74\x07" SPILL), SPILLS, 7)); /* to the ret */
	CHECK(is(CODE("\x74\x05" RELOAD), NONE, 7));
	CHECK(is(CODE("\x74\x00" MOVE), MOVES, 10));
	CHECK(is(CODE("\x74\x05" MOVE), NONE, 10)); /* to its second instruction */
	CHECK(is(CODE("\x74\x08" MOVE), NONE, 10));
	CHECK(is(CODE("\xe9\x00\x00\x00\x80" COMPARE), COMPARES, 5)); /* out of the segment */
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
	CHECK(is(CODE(MOV_EAX_1 COMPARE "\xeb\xf6"), COMPARES, 5));
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
	CHECK(is(CODE("\x06" COMPARE), NONE, 1));
	CHECK(!only(CODE("\x06" MOV_EAX_1 "\x0f\x05")).number_known);
	CHECK(is(CODE("\x06" NOPS_16 "\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90" COMPARE), NONE,
		 32));
	CHECK(is(CODE("\x06" NOPS_16 NOPS_16 COMPARE), COMPARES, 33));
	CHECK(is(CODE(COMPARE "\x06"), COMPARES, 0));
}

static void test_cut(void)
{
	static const char code[] = MOV_EAX_1 COMPARE SPILL RELOAD MOVE "\x62\xf3\x7d\x48\x3e\x07\x01";
	struct site sites[4];

	for (size_t size = 0; size < sizeof(code); size++)
		CHECK(find((const uint8_t *)code, size, sites) <= 4);
	CHECK(find((const uint8_t *)code, sizeof(code) - 1, sites) == 4);
	CHECK(has(&sites[0], COMPARES) && has(&sites[1], SPILLS));
	CHECK(has(&sites[2], RELOADS) && has(&sites[3], MOVES));
}

/* Whole instructions around a call whose number was set right before it. */
static void test_ranges(void)
{
	CHECK(is(CODE(MOV_EAX_1 "\x0f\x05\xc3"), 5, 0, 5));
	CHECK(is(CODE("\x44\x89\xc0\x0f\x05\x48\x83\xf8\xfc\x74\xf0"), 3, 4, 3)); /* mov eax, r8d; cmp rax, -4 */
	CHECK(is(CODE(MOV_EAX_1 "\x0f\x05\x3d\x00\xf0\xff\xff\xc3"), 0, 5, 5));	  /* a compare is preferred */
	CHECK(is(CODE("\x89\xd8\x0f\x05\xba\x02\x00\x00\x00\xc3"), 0, 5, 2));	  /* mov eax, ebx; mov edx, 2 */
	CHECK(is(CODE("\x89\xd8\x0f\x05\x89\xc3\xf7\xdb\xc3"), 2, 4, 2));	  /* mov ebx, eax; neg ebx */
	CHECK(is(CODE("\x4c\x89\xfe\x89\xdf\x44\x89\xc0\x0f\x05\xe8\x00\x01\x00\x00"), 5, 0, 8));
	CHECK(is(CODE("\x89\xdf\x0f\x05\x83\xf8\xff\xc3"), NONE, 2));		    /* nothing set eax */
	CHECK(is(CODE("\x8b\x03\x89\xdf\x0f\x05\x83\xf8\xff\xc3"), 2, 3, 4));	    /* mov eax, [rbx] */
	CHECK(is(CODE("\x58\x89\xdf\x0f\x05\x83\xf8\xff\xc3"), NONE, 3));	    /* pop rax: not by a mov */
	CHECK(is(CODE(MOV_EAX_1 "\x58\x89\xdf\x0f\x05\x83\xf8\xff\xc3"), NONE, 8)); /* nor here */
	CHECK(is(CODE(MOV_EAX_1 "\x0f\x05"), NONE, 5));				    /* nobody knows what comes */
	CHECK(is(CODE("\x8b\x05\x01\x02\x03\x04\x0f\x05\xc3"), NONE, 6));	    /* mov eax, [rip+...] */
	CHECK(is(CODE(MOV_EAX_1 "\x48\x0f\x05\xc3"), NONE, 6));			    /* a prefix */
}

/* Neither flags nor rcx and r11 live through a stub. */
static void test_lost_registers(void)
{
	CHECK(is(CODE(MOV_EAX_1 "\x0f\x05\x74\x10"), NONE, 5)); /* je */
	CHECK(is(CODE(MOV_EAX_1 "\x0f\x05\x89\xc3\x0f\x94\xc0\xc3"), NONE, 5));
	CHECK(is(CODE(MOV_EAX_1 "\x0f\x05\x89\xc3\x85\xdb\x0f\x94\xc0\xc3"), 5, 0, 5)); /* test is before sete */
	CHECK(is(CODE(MOV_EAX_1 "\x0f\x05\xff\xc3\x73\x10\xc3"), NONE, 5));		/* inc keeps the carry */
	CHECK(is(CODE("\x89\xd8\x0f\x05\x48\x89\xca\xc3"), NONE, 2));			/* mov rdx, rcx */
	CHECK(is(CODE("\x89\xd8\x0f\x05\x4c\x89\x5c\x24\x08\xc3"), NONE, 2));		/* mov [rsp+8], r11 */
	CHECK(is(CODE("\x89\xd8\x0f\x05\x4a\x8b\x14\x1b\xc3"), NONE, 2));		/* mov rdx, [rbx+r11] */
	CHECK(is(CODE("\x89\xd8\x0f\x05\x89\xc1\xf7\xd9\xc3"), 2, 4, 2));		/* mov ecx, eax; neg ecx */
	CHECK(is(CODE("\x89\xd8\x49\x89\xca\x90\x90\x0f\x05\xc3"), 5, 0, 7));		/* mov r10, rcx is in front */
}

/* Jumps and addresses that the code computes lead to the begin of a range, or not into it. */
static void test_entered(void)
{
	CHECK(is(CODE(MOV_EAX_1 "\x0f\x05\xeb\xf7"), 5, 0, 5));
	CHECK(is(CODE(MOV_EAX_1 "\x0f\x05\xe8\xf9\xff\xff\xff"), NONE, 5));		    /* to the call */
	CHECK(is(CODE("\x48\x8d\x15\x05\x00\x00\x00" MOV_EAX_1 "\x0f\x05\xc3"), NONE, 12)); /* lea of it */
	CHECK(is(CODE("\x48\x8d\x15\x00\x00\x00\x00" MOV_EAX_1 "\x0f\x05\xc3"), 5, 0, 12));
	CHECK(is(CODE("\x74\x09" MOV_EAX_1 "\x0f\x05\x89\xc3\x83\xf8\xff\xc3"), 5, 0, 7)); /* behind what it takes */
	CHECK(is(CODE("\x74\x02\x89\xd8\x0f\x05\x89\xc3\x83\xf8\xff\xc3"), 0, 5, 4));	   /* to the call, alone */
	CHECK(is(CODE("\x74\x06\x89\xd8\x0f\x05\x89\xc3\x83\xf8\xff\xc3"), NONE, 4));
}

/* A jump behind the call is the last of a range: for (;;) exit(). */
static void test_jump_behind(void)
{
	struct site site = only(CODE("\x31\xff\x89\xd0\x0f\x05\xeb\xf8"));

	CHECK(has(&site, 4, 2) && site.jump == 2 && site.repeatable);
	site = only(CODE("\x89\xd0\x0f\x05\xe9\x00\x01\x00\x00"));
	CHECK(!site.patchable); /* the flags are not known there */
	site = only(CODE("\x89\xd0\x0f\x05\xe9\x00\x00\x00\x00\xc3"));
	CHECK(has(&site, 0, 5) && site.jump == 5);
}

/* What is in front may have to be run again. */
static void test_repeatable(void)
{
	CHECK(only(CODE(COMPARE)).repeatable && only(CODE(SPILL)).repeatable && only(CODE(RELOAD)).repeatable);
	CHECK(!only(CODE(MOVE)).repeatable);
	CHECK(only(CODE(MOV_EAX_1 "\x0f\x05\xc3")).repeatable);
	CHECK(!only(CODE("\x48\x8b\x50\x18\x8b\x00\x0f\x05\xc3")).repeatable); /* mov rdx, [rax+24]; mov eax, [rax] */
	CHECK(!only(CODE("\x89\xd8\x48\x83\xc2\x01\x90\x0f\x05\xc3")).repeatable); /* add rdx, 1 */
	CHECK(!only(CODE("\x89\xd8\x49\x89\xca\x90\x90\x0f\x05\xc3")).repeatable); /* mov r10, rcx */
	CHECK(!only(CODE("\x8b\x07\x48\x89\x75\x08\x0f\x05\xc3")).repeatable);	   /* a load, then a store */
	CHECK(only(CODE("\x89\xd8\x48\x89\x75\x08\x0f\x05\xc3")).repeatable);
}

/* Each byte belongs to one range at most. */
static void test_neighbours(void)
{
	struct site sites[4];

	CHECK(find(CODE(MOV_EAX_1 "\x0f\x05" MOV_EAX_1 "\x0f\x05\x85\xc0\xc3"), sites) == 2);
	CHECK(has(&sites[0], 5, 0) && has(&sites[1], 5, 0));
	CHECK(find(CODE("\x89\xd8\x0f\x05" MOV_EAX_1 "\x0f\x05\x85\xc0\xc3"), sites) == 2);
	CHECK(has(&sites[0], 0, 5) && has(&sites[1], NONE));
	CHECK(find(CODE("\x89\xd8\x0f\x05" MOV_EAX_1 COMPARE "\xc3"), sites) == 2);
	CHECK(has(&sites[0], 0, 5) && has(&sites[1], COMPARES));
}

static void test_data(void)
{
	CHECK(!only(CODE(NOPS_16 "\x0f\x05\xc3")).data);
	CHECK(only(CODE("\x06" NOPS_16 NOPS_16 NOPS_16 "\x89\xd8\x0f\x05\xc3")).data);
	CHECK(only(CODE("\x0f\x05" NOPS_16 NOPS_16 "\x06")).data);
	CHECK(!only(CODE("\x0f\x05" NOPS_16 NOPS_16 NOPS_16 NOPS_16 "\x06")).data);
	CHECK(!only(CODE(MOV_EAX_1 "\x0f\x05\xc3\x06")).data); /* no data has such a number by chance */
	CHECK(is(CODE(MOV_EAX_1 "\x0f\x05\xc3\x06"), NONE, 5));
	CHECK(only(CODE("\xb8\x01\x00\x01\x00\x0f\x05\xc3\x06")).data);
	CHECK(is(CODE(MOV_EAX_1 "\x0f\x05\xc3" NOPS_16 NOPS_16 NOPS_16 NOPS_16 "\x06"), 5, 0, 5));
	CHECK(!only(CODE(COMPARE "\x06")).data);
}

/* Constants go from register to register. */
static void test_copied_numbers(void)
{
	CHECK(known(CODE("\xba\x3c\x00\x00\x00\x31\xff\x89\xd0\x0f\x05"), 60));		    /* by edx */
	CHECK(known(CODE("\x41\xb8\x3c\x00\x00\x00\x44\x8b\xc8\x4c\x89\xc0\x0f\x05"), 60)); /* by r8 */
	CHECK(!only(CODE("\xba\x3c\x00\x00\x00\xb2\x01\x89\xd0\x0f\x05")).number_known);    /* mov dl, 1 */
	CHECK(!only(CODE("\xb9\x3c\x00\x00\x00\xb5\x01\x89\xc8\x0f\x05")).number_known);    /* mov ch, 1 */
	CHECK(!only(CODE("\x74\x05\xba\x3c\x00\x00\x00\x89\xd0\x0f\x05")).number_known);    /* a jump behind it */
}

/* Why nothing can be replaced. */
static void test_troubles(void)
{
	CHECK(only(CODE(COMPARE)).trouble == SITE_FINE);
	CHECK(only(CODE(MOV_EAX_1 "\x0f\x05\xc3")).trouble == SITE_FINE);
	/* A jump to the call itself; test eax, eax; js behind it; mov rcx, [rip + far]. */
	CHECK(only(CODE(MOV_EAX_1 "\x78\x01\x90\x0f\x05\xc3")).trouble == SITE_IS_ENTERED);
	CHECK(only(CODE(MOV_EAX_1 "\x0f\x05\x78\x00\xc3")).trouble == SITE_KEEPS_FLAGS);
	CHECK(only(CODE(MOV_EAX_1 "\x48\x8b\x0d\x00\x10\x00\x00\x0f\x05\xc3")).trouble == SITE_IS_SHORT);
	CHECK(only(CODE("\x06" NOPS_16 "\x89\xd8\x0f\x05\xc3")).trouble == SITE_NO_CODE);
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
	test_ranges();
	test_lost_registers();
	test_entered();
	test_jump_behind();
	test_repeatable();
	test_neighbours();
	test_data();
	test_copied_numbers();
	test_troubles();
	test_many();
	return 0;
}
