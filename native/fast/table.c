/* SPDX-License-Identifier: GPL-2.0-only
 *
 * A tracer that is killed leaves its jumps and stubs in an attached process, which runs on with them. The next one
 * finds them by FAST_MAGIC, and reads here what the sites are. The stubs themselves stay as they are: so it must be the
 * same version of them.
 */
#include "fast/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fast/layout.h"
#include "fast/writing.h"

struct table_row {
	uint64_t call;
	uint64_t begin;
	uint32_t stub_at;
	uint8_t stub; /* index in stub_table */
	uint8_t before;
	uint8_t after;
	uint8_t jump;
	bool repeatable;
	uint8_t original[SITE_BYTES];
};

struct table_head {
	uint64_t version;
	uint32_t count;
	uint32_t stubs_end;
};

/* One row is what the table begins with. */
#define ROW_SIZE (1u << FAST_TABLE_ROW_BITS)
_Static_assert(sizeof(struct table_row) <= ROW_SIZE, "FAST_TABLE_ROW_BITS");

static uint64_t add(uint64_t hash, const uint8_t *code, size_t size)
{
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ code[i]) * 0x100000001b3u;
	return hash;
}

/* FNV-1a over the code, which holds every address and offset that matters. */
static uint64_t version(void)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (const struct stub *stub = stub_table; stub < stub_table_end; stub++)
		hash = add(hash, stub->begin, stub->size);
	return add(hash, ask_begin, (size_t)(ask_end - ask_begin));
}

static uint64_t address_of(unsigned int index)
{
	return FAST_TABLE + ((uint64_t)(index + 1) << FAST_TABLE_ROW_BITS);
}

static struct table_row row_of(const struct fast_site *site)
{
	struct table_row row = {
		.call = site->call,
		.begin = site->begin,
		.stub_at = site->stub_at,
		.stub = (uint8_t)(site->stub - stub_table),
		.before = site->before,
		.after = site->after,
		.jump = site->jump,
		.repeatable = site->repeatable,
	};

	memcpy(row.original, site->original, sizeof(row.original));
	return row;
}

int table_write(const struct image *image, pid_t tid, unsigned int first)
{
	const struct table_head head = {version(), image->site_count, image->stubs_end};
	const unsigned int count = image->site_count - first;
	uint8_t *rows = calloc(count + 1, ROW_SIZE);
	int error = rows ? 0 : -ENOMEM;

	for (unsigned int i = 0; i < count && !error; i++) {
		const struct table_row row = row_of(&image->sites[first + i]);

		memcpy(rows + (size_t)i * ROW_SIZE, &row, sizeof(row));
	}
	if (!error && count)
		error = writing_code(tid, address_of(first), rows, (size_t)count * ROW_SIZE);
	free(rows);
	return error ? error : writing_code(tid, FAST_TABLE, &head, sizeof(head));
}

int table_find(pid_t tid)
{
	const struct image image = {.reader = tid};
	struct table_head head;
	uint64_t magic;

	if (image_read(&image, FAST_MAGIC, &magic, sizeof(magic)) < 0 || magic != FAST_MAGIC_WORD)
		return 0;
	if (image_read(&image, FAST_TABLE, &head, sizeof(head)) < 0 || head.version != version() ||
	    head.count > FAST_SITES)
		return -EEXIST;
	return 1;
}

int table_read(struct image *image)
{
	struct table_head head;
	int error = image_read(image, FAST_TABLE, &head, sizeof(head));

	if (error)
		return error;
	image->sites = calloc(head.count + 1, sizeof(*image->sites));
	if (!image->sites)
		return -ENOMEM;
	for (unsigned int i = 0; i < head.count; i++) {
		struct table_row row;

		error = image_read(image, address_of(i), &row, sizeof(row));
		if (error || row.stub >= stub_table_end - stub_table)
			return error ? error : -EINVAL;
		image->sites[i] = (struct fast_site){
			.call = row.call,
			.begin = row.begin,
			.before = row.before,
			.after = row.after,
			.jump = row.jump,
			.repeatable = row.repeatable,
			.stub = &stub_table[row.stub],
			.stub_at = row.stub_at,
		};
		memcpy(image->sites[i].original, row.original, sizeof(row.original));
	}
	image->site_count = head.count;
	image->stubs_end = head.stubs_end;
	return 0;
}
