/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A tracer that is killed leaves its jumps and stubs in an attached process, which runs on with them. The next one
 * finds them by FAST_MAGIC, and reads here what the sites are. The stubs themselves stay as they are: so it must be the
 * same version of them.
 *
 * But anybody can write such a table into memory of its own. So nothing of it is believed that is not as ptmon makes
 * it, down to the last byte of the stubs; else the memory is a stranger's, and nobody touches it.
 */
#include "fast/image/handover.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fast/image/emit_code.h"
#include "fast/image/layout.h"
#include "fast/image/mapping.h"
#include "fast/scan/decode.h"
#include "machine/memory.h"

struct table_row {
	uint64_t call;
	uint64_t begin;
	uint32_t stub_at;
	uint8_t stub; /* index in stub_table */
	uint8_t before;
	uint8_t after;
	uint8_t jump;
	uint8_t repeatable; /* no bool: what is read there may be any byte */
	uint8_t original[SITE_BYTES];
};

struct table_head {
	uint64_t version;
	uint32_t count;
	uint32_t stubs_end;
};

/* One row is what the table begins with. */
#define ROW_SIZE (1u << FAST_TABLE_ROW_BITS)
#define PROGRAM_END (1ull << 47) /* of what a program can have code at (TASK_SIZE) */
#define STUB_ALIGN 16u
_Static_assert(sizeof(struct table_row) <= ROW_SIZE, "FAST_TABLE_ROW_BITS");

/* Over the code, which holds every address and offset that matters. */
static uint64_t version(void)
{
	uint64_t hash = HASH_BEGIN;

	for (const struct stub *stub = stub_table; stub < stub_table_end; stub++)
		hash = hash_bytes(hash, stub->begin, stub->size);
	hash = hash_bytes(hash, ending_begin, (size_t)(ending_end - ending_begin));
	hash = hash_bytes(hash, attempt_begin, (size_t)(attempt_end - attempt_begin));
	return hash_bytes(hash, request_begin, (size_t)(request_end - request_begin));
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

int handover_write(const struct image *image, pid_t tid, unsigned int first)
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
		error = memory_write_code(tid, address_of(first), rows, (size_t)count * ROW_SIZE);
	free(rows);
	return error ? error : memory_write_code(tid, FAST_TABLE, &head, sizeof(head));
}

int handover_find(pid_t tid)
{
	struct table_head head;
	uint64_t magic;

	if (memory_read_direct(tid, FAST_MAGIC, &magic, sizeof(magic)) < 0 || magic != FAST_MAGIC_WORD)
		return 0;
	if (memory_read_direct(tid, FAST_TABLE, &head, sizeof(head)) < 0 || head.version != version() ||
	    head.count > FAST_SITES)
		return -EEXIST;
	return 1;
}

/* Do the replaced bytes end in a relative jump, as the row says? ranges.c has no other one there. */
static bool ends_in_jump(const struct table_row *row, unsigned int size)
{
	struct instruction last;

	return row->jump == 0 ||
	       (row->jump <= row->after && decode(row->original + size - row->jump, row->jump, &last) == row->jump &&
		last.branch && last.ends);
}

/* Is it a row as row_of() makes it, of a stub at this address or behind it? */
static bool is_possible(const struct table_row *row, uint32_t stub_at)
{
	const unsigned int size = row->before + 2u + row->after;

	return row->stub < stub_table_end - stub_table && row->before <= SITE_BEFORE && row->after <= SITE_AFTER &&
	       size >= SITE_LEAST && size <= SITE_BYTES && row->call > row->before && row->call < PROGRAM_END &&
	       row->begin == row->call - row->before && row->original[row->before] == 0x0f &&
	       row->original[row->before + 1] == 0x05 && ends_in_jump(row, size) && row->repeatable <= 1 &&
	       row->stub_at >= stub_at && row->stub_at % STUB_ALIGN == 0 &&
	       row->stub_at <= FAST_STUBS_END - stub_table[row->stub].size;
}

static struct fast_site site_of(const struct table_row *row)
{
	struct fast_site site = {
		.call = row->call,
		.begin = row->begin,
		.before = row->before,
		.after = row->after,
		.jump = row->jump,
		.repeatable = row->repeatable,
		.stub = &stub_table[row->stub],
		.stub_at = row->stub_at,
	};

	memcpy(site.original, row->original, sizeof(site.original));
	return site;
}

/* Takes over what the rows say, if that is possible. */
static int take(struct image *image, const struct table_head *head, const uint8_t *rows)
{
	uint32_t end = FAST_STUBS_FIRST;

	for (unsigned int i = 0; i < head->count; i++) {
		struct table_row row;

		memcpy(&row, rows + (size_t)i * ROW_SIZE, sizeof(row));
		if (!is_possible(&row, end))
			return -EEXIST;
		image->sites[i] = site_of(&row);
		end = row.stub_at + image->sites[i].stub->size;
	}
	if (head->stubs_end < end || head->stubs_end > FAST_STUBS_END || head->stubs_end % STUB_ALIGN)
		return -EEXIST;
	image->site_count = head->count;
	image->stubs_end = head->stubs_end;
	return 0;
}

static int read_rows(struct image *image, const struct table_head *head)
{
	const size_t size = (size_t)head->count * ROW_SIZE;
	uint8_t *rows = malloc(size + 1);
	int error = rows ? 0 : -ENOMEM;

	image->sites = calloc(head->count + 1, sizeof(*image->sites));
	if (!image->sites)
		error = -ENOMEM;
	if (!error && size)
		error = image_read(image, address_of(0), rows, size);
	if (!error)
		error = take(image, head, rows);
	free(rows);
	return error;
}

int handover_read(struct image *image)
{
	struct table_head head;
	int error;

	/* Stubs that can't be written: the program is not to change them behind our back, once they were looked at. */
	if (!mapping_is_anonymous(image->reader, FAST_DATA, FAST_DATA_SIZE) ||
	    !mapping_is_unwritable(image->reader, FAST_CODE, FAST_CODE_SIZE))
		return -EEXIST;
	error = image_read(image, FAST_TABLE, &head, sizeof(head));
	/* Looked at again, for the process may run: it is read anew. */
	if (!error && (head.version != version() || head.count > FAST_SITES))
		error = -EEXIST;
	if (!error)
		error = read_rows(image, &head);
	image->by_request = true; /* no others leave rows */
	if (!error && !emit_code_matches(image, image->reader))
		error = -EEXIST;
	if (error)
		image->site_count = 0;
	return error;
}
