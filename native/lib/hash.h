/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Hash tables, of two kinds.
 *
 *   struct hash        of members that are anywhere, and bear a link; several may have the same key
 *   struct hash_index  of elements of one array, by number, which is cleared in one go; it may be lossy
 */
#ifndef PT_HASH_H
#define PT_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define HASH_BUCKETS 4096 /* a power of two */
#define HASH_CHAIN 2	  /* members in a bucket, on average, beyond which hash_add_growing() wants more buckets */

/* FNV-1a: what hash_bytes() begins with, and what it makes of more bytes. */
#define HASH_BEGIN 0xcbf29ce484222325u

static inline uint64_t hash_bytes(uint64_t hash, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3u;
	return hash;
}

struct hash_link {
	struct hash_link *next; /* in its bucket */
	uint64_t key;
};

/* All zeros: it is empty. */
struct hash {
	struct hash_link *few[HASH_BUCKETS];
	struct hash_link **many; /* the buckets in the place of the few; NULL: they are enough */
	size_t size;		 /* how many, a power of two */
	size_t count;		 /* of members */
};

/* All members, one after the other. Meanwhile the one that it is at may be removed, but no other. */
struct hash_walk {
	const struct hash *hash;
	size_t bucket; /* the next one to be looked into */
	struct hash_link *next;
};

static inline void *hash_outer(struct hash_link *link, size_t offset)
{
	return link ? (char *)link - offset : NULL;
}

/* The struct that this link is in; NULL: there is no link. */
#define hash_member(link, type, name) ((type *)hash_outer(link, offsetof(type, name)))

static inline size_t hash_size(const struct hash *hash)
{
	return hash->many ? hash->size : HASH_BUCKETS;
}

/* Keys are numbers that follow each other (tids, inodes), or hashes already. */
static inline size_t hash_bucket(const struct hash *hash, uint64_t key)
{
	return (size_t)key & (hash_size(hash) - 1);
}

static inline struct hash_link *hash_first(const struct hash *hash, size_t bucket)
{
	return hash->many ? hash->many[bucket] : hash->few[bucket];
}

static inline struct hash_link **hash_head(struct hash *hash, uint64_t key)
{
	return (hash->many ? hash->many : hash->few) + hash_bucket(hash, key);
}

/* This link, or the first one behind it, with the key. */
static inline struct hash_link *hash_from(struct hash_link *link, uint64_t key)
{
	while (link && link->key != key)
		link = link->next;
	return link;
}

/* The member that was added last of those with this key; and the one before that. */
static inline struct hash_link *hash_find(const struct hash *hash, uint64_t key)
{
	return hash_from(hash_first(hash, hash_bucket(hash, key)), key);
}

static inline struct hash_link *hash_find_next(const struct hash_link *link)
{
	return hash_from(link->next, link->key);
}

static inline void hash_add(struct hash *hash, struct hash_link *link, uint64_t key)
{
	struct hash_link **head = hash_head(hash, key);

	*link = (struct hash_link){.next = *head, .key = key};
	*head = link;
	hash->count++;
}

/* The members of a bucket, the last one first. */
static inline struct hash_link *hash_turned(struct hash_link *link)
{
	struct hash_link *turned = NULL;

	while (link) {
		struct hash_link *next = link->next;

		link->next = turned;
		turned = link;
		link = next;
	}
	return turned;
}

/* Where there is no memory it stays as it is. */
static inline void hash_grow(struct hash *hash)
{
	const size_t size = 4 * hash_size(hash);
	struct hash_link **more = calloc(size, sizeof(struct hash_link *));

	if (!more)
		return;
	for (size_t i = 0; i < hash_size(hash); i++) {
		/* Those of one key stay in their order. */
		for (struct hash_link *link = hash_turned(hash_first(hash, i)), *next; link; link = next) {
			struct hash_link **head = &more[(size_t)link->key & (size - 1)];

			next = link->next;
			link->next = *head;
			*head = link;
		}
	}
	free(hash->many);
	hash->many = more;
	hash->size = size;
}

/* The same, of a table that may get many members; nobody may be walking through it. hash_free() belongs to it. */
static inline void hash_add_growing(struct hash *hash, struct hash_link *link, uint64_t key)
{
	hash_add(hash, link, key);
	if (hash->count > HASH_CHAIN * hash_size(hash))
		hash_grow(hash);
}

static inline void hash_free(struct hash *hash)
{
	free(hash->many);
	*hash = (struct hash){0};
}

/* One that is not in there may be removed, too. */
static inline void hash_remove(struct hash *hash, const struct hash_link *link)
{
	struct hash_link **at = hash_head(hash, link->key);

	while (*at && *at != link)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = link->next;
	hash->count--;
}

static inline struct hash_link *hash_walk(struct hash_walk *walk)
{
	struct hash_link *link = walk->next;

	while (!link && walk->bucket < hash_size(walk->hash))
		link = hash_first(walk->hash, walk->bucket++);
	walk->next = link ? link->next : NULL;
	return link;
}

struct hash_index {
	uint32_t size;	 /* a power of two */
	uint32_t probes; /* slots that are looked at for one element; size: all, and then it must never be full */
	uint32_t *slots; /* number of the element + 1; 0: free */
};

static inline void hash_index_clear(const struct hash_index *index)
{
	memset(index->slots, 0, index->size * sizeof(*index->slots));
}

/* Is the element of this number like the other one? */
typedef bool hash_alike(const void *elements, uint32_t number, const void *other);

/* The slot of an element that is like this one (*found), or the one that it is to get: a free one or, where all that
 * were looked at are taken, the last of them. Key: any number that like elements share. */
static inline uint32_t *hash_index_find(const struct hash_index *index, uint64_t key, hash_alike *alike,
					const void *elements, const void *one, bool *found)
{
	/* Fibonacci hashing: 2^64 / golden ratio */
	uint32_t at = (uint32_t)(key * 0x9e3779b97f4a7c15u >> 32), *slot = NULL;

	*found = false;
	for (uint32_t i = 0; i < index->probes && !*found; i++) {
		slot = &index->slots[at++ & (index->size - 1)];
		if (!*slot)
			break;
		*found = alike(elements, *slot - 1, one);
	}
	return slot;
}

#endif
