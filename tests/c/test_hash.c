/* SPDX-License-Identifier: GPL-2.0-or-later
 * What is in a table is found, and nothing else is; a walk comes to each member once, though they go meanwhile. */
#include <string.h>

#include "check.h"
#include "lib/hash.h"

#define MEMBERS 20000

struct member {
	int number;
	struct hash_link link;
	bool seen;
};

static struct member members[MEMBERS];
static struct hash hash;

static struct member *find(uint64_t key)
{
	return hash_member(hash_find(&hash, key), struct member, link);
}

static void fill(void)
{
	memset(&hash, 0, sizeof(hash));
	for (int i = 0; i < MEMBERS; i++) {
		members[i] = (struct member){.number = i};
		hash_add(&hash, &members[i].link, (uint64_t)i * 3);
	}
}

static void fill_growing(void)
{
	hash_free(&hash);
	for (int i = 0; i < MEMBERS; i++) {
		members[i] = (struct member){.number = i};
		hash_add_growing(&hash, &members[i].link, (uint64_t)i / 2); /* two of each key */
	}
}

static void test_a_table_that_grows_keeps_all_in_their_order(void)
{
	struct hash_walk walk = {.hash = &hash};
	struct hash_link *link;
	int count = 0;

	fill_growing();
	CHECK(hash.many && hash.count == MEMBERS && hash.count <= HASH_CHAIN * hash.size);
	for (int i = 0; i < MEMBERS; i += 2) {
		link = hash_find(&hash, (uint64_t)i / 2);
		CHECK(link == &members[i + 1].link);
		link = hash_find_next(link);
		CHECK(link == &members[i].link && !hash_find_next(link));
	}
	while ((link = hash_walk(&walk))) {
		hash_remove(&hash, link);
		hash_remove(&hash, link); /* which is not in there any more */
		count++;
	}
	CHECK(count == MEMBERS && hash.count == 0 && !find(0));
	hash_free(&hash);
	CHECK(!hash.many);
}

static void test_members_are_found_by_their_keys(void)
{
	CHECK(!find(0));
	fill();
	for (int i = 0; i < MEMBERS; i++)
		CHECK(find((uint64_t)i * 3) == &members[i] && !find((uint64_t)i * 3 + 1));
}

static void test_a_removed_member_is_not_found_and_the_others_are(void)
{
	fill();
	for (int i = 0; i < MEMBERS; i += 2)
		hash_remove(&hash, &members[i].link);
	hash_remove(&hash, &members[0].link); /* which is not in there */
	for (int i = 0; i < MEMBERS; i++)
		CHECK(find((uint64_t)i * 3) == (i % 2 ? &members[i] : NULL));
}

static void test_members_of_one_key_are_found_the_last_one_first(void)
{
	struct hash_link *link;

	fill();
	for (int i = 0; i < 4; i++) {
		hash_remove(&hash, &members[i].link);
		hash_add(&hash, &members[i].link, 1); /* in the bucket of others */
	}
	link = hash_find(&hash, 1);
	for (int i = 3; i >= 0; i--, link = hash_find_next(link))
		CHECK(link == &members[i].link);
	CHECK(!link);
}

static void test_a_walk_comes_to_each_member_once_though_they_are_removed(void)
{
	struct hash_walk walk = {.hash = &hash};
	struct member *member;
	int count = 0;

	fill();
	while ((member = hash_member(hash_walk(&walk), struct member, link))) {
		CHECK(!member->seen);
		member->seen = true;
		count++;
		if (member->number % 3)
			hash_remove(&hash, &member->link);
	}
	CHECK(count == MEMBERS);
	for (int i = 0; i < MEMBERS; i++)
		CHECK(find((uint64_t)i * 3) == (i % 3 ? NULL : &members[i]));
}

static bool is_same(const void *elements, uint32_t number, const void *other)
{
	return ((const int *)elements)[number] == *(const int *)other;
}

static void test_an_index_finds_each_element(void)
{
	uint32_t slots[64], *slot;
	const struct hash_index index = {.size = 64, .probes = 64, .slots = slots};
	int numbers[40];
	bool found;

	hash_index_clear(&index);
	/* All with one of two keys, so that they are in each other's way. */
	for (int i = 0; i < 40; i++) {
		numbers[i] = i;
		slot = hash_index_find(&index, i % 2, is_same, numbers, &i, &found);
		CHECK(!found && !*slot);
		*slot = (uint32_t)i + 1;
	}
	for (int i = 0; i < 40; i++) {
		slot = hash_index_find(&index, i % 2, is_same, numbers, &i, &found);
		CHECK(found && *slot == (uint32_t)i + 1);
	}
	hash_index_clear(&index);
	CHECK(!*hash_index_find(&index, 0, is_same, numbers, &numbers[0], &found) && !found);
}

static void test_a_lossy_index_gives_the_place_of_another_away(void)
{
	uint32_t slots[16], *slot;
	const struct hash_index index = {.size = 16, .probes = 4, .slots = slots};
	int numbers[5] = {0, 1, 2, 3, 4};
	bool found;

	hash_index_clear(&index);
	for (int i = 0; i < 4; i++)
		*hash_index_find(&index, 7, is_same, numbers, &numbers[i], &found) = (uint32_t)i + 1;
	slot = hash_index_find(&index, 7, is_same, numbers, &numbers[4], &found);
	CHECK(!found && *slot == 4);
	*slot = 5;
	CHECK(*hash_index_find(&index, 7, is_same, numbers, &numbers[4], &found) == 5 && found);
	hash_index_find(&index, 7, is_same, numbers, &numbers[3], &found);
	CHECK(!found);
}

int main(void)
{
	test_a_table_that_grows_keeps_all_in_their_order();
	test_members_are_found_by_their_keys();
	test_a_removed_member_is_not_found_and_the_others_are();
	test_members_of_one_key_are_found_the_last_one_first();
	test_a_walk_comes_to_each_member_once_though_they_are_removed();
	test_an_index_finds_each_element();
	test_a_lossy_index_gives_the_place_of_another_away();
	return 0;
}
