/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * All threads of the process stand while its stacks are read, so no read may take long, and none may have to wait. One
 * that does is that of a page which is not there: where userfaultfd(2) guards it, the kernel asks the program for it,
 * which stands; where it is a file's, the file system answers when it likes (FUSE). A stack has been written to, so
 * what is of interest is the process's own memory, and /proc/PID/pagemap tells of each page whether it has ever been
 * there: Documentation/admin-guide/mm/pagemap.rst.
 *
 * Stacks of many threads may lie side by side in one mapping (Go, pools of fibers): what is above one of them is above
 * the others, too, and is read once.
 */
#include "fast/patch/stacks.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "machine/memory.h"

#define PAGE_PRESENT (1ull << 63)
#define PAGE_SWAPPED (1ull << 62)
#define PAGE_OF_FILE (1ull << 61) /* or of shared memory: the process has not written to its copy */
#define PAGE_GUARDED (1ull << 57) /* by userfaultfd(2), against writes: to write there may wait */
#define SWAPPED_COST 16		  /* as many pages are read while one comes back from the disk */
#define PIECE_PAGES 64
#define WORD sizeof(uint64_t)

static int by_address(const void *a, const void *b)
{
	const struct stack_pointer *one = a, *other = b;

	return (one->address > other->address) - (one->address < other->address);
}

/* Adds the ranges of the pointers from *next on that lie in this mapping. */
static void add_ranges(struct stacks *stacks, const struct stack_pointer *pointers, unsigned int count,
		       unsigned int *next, uint64_t begin, uint64_t end)
{
	while (*next < count && pointers[*next].address < begin)
		++*next; /* in no mapping: there is no stack */
	for (; *next < count && pointers[*next].address < end; ++*next) {
		struct stack_range *last = stacks->count ? &stacks->ranges[stacks->count - 1] : NULL;
		uint64_t from = pointers[*next].address & ~(uint64_t)(WORD - 1);
		uint64_t to = end - from < STACKS_DEPTH ? end : from + STACKS_DEPTH;

		if (last && from >= begin && from <= last->end && last->begin >= begin)
			last->end = to > last->end ? to : last->end;
		else
			stacks->ranges[stacks->count++] = (struct stack_range){from, to};
	}
}

/* A mapping's line, and the pointers in it. */
static int look_at_mapping(struct stacks *stacks, const char *line, const struct stack_pointer *pointers,
			   unsigned int count, unsigned int *next)
{
	const unsigned int first = stacks->count;
	uint64_t begin, end;
	char access[5];

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &begin, &end, access) != 3 || begin >= end)
		return 0;
	add_ranges(stacks, pointers, count, next, begin, end);
	if (stacks->count == first)
		return 0;
	if (access[0] == 'r' && access[1] == 'w' && access[3] == 'p')
		return 0;
	stacks->count = first;
	/* Where it can't write a thread gets no signal, and has no frame. */
	return access[1] == 'w' ? -ENOTSUP : 0;
}

int stacks_look(struct stacks *stacks, struct stack_pointer *pointers, unsigned int count)
{
	char path[64], *line = NULL;
	size_t size = 0;
	unsigned int next = 0;
	int error = 0;
	FILE *maps;

	stacks->count = 0;
	stacks->ranges = calloc(count ? count : 1, sizeof(*stacks->ranges));
	if (!stacks->ranges)
		return -ENOMEM;
	qsort(pointers, count, sizeof(*pointers), by_address);
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)stacks->pid);
	maps = fopen(path, "re");
	if (!maps)
		return -errno;
	while (!error && next < count && getline(&line, &size, maps) > 0)
		error = look_at_mapping(stacks, line, pointers, count, &next);
	fclose(maps);
	free(line);
	return error;
}

/* Pages that may hold a frame. One that is in the middle of being swapped in counts as swapped. */
static bool is_written(uint64_t page)
{
	return page & PAGE_SWAPPED || (page & PAGE_PRESENT && !(page & PAGE_OF_FILE));
}

static int pay(struct stacks *stacks, const uint64_t *pages, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		if (pages[i] & PAGE_GUARDED)
			return -EBUSY;
		stacks->cost += (pages[i] & PAGE_SWAPPED ? SWAPPED_COST : 1) * MEMORY_PAGE;
	}
	return stacks->cost > STACKS_LARGEST ? -E2BIG : 0;
}

struct reading {
	struct stacks *stacks;
	int (*visit)(void *context, uint64_t address, const uint64_t *words, size_t count);
	void *context;
	uint64_t words[PIECE_PAGES * MEMORY_PAGE / WORD];
};

/* The pages that were written of up to PIECE_PAGES, which begin at this address. */
static int read_piece(struct reading *reading, const struct stack_range *range, uint64_t address, const uint64_t *pages,
		      unsigned int count)
{
	unsigned int at = 0, end;
	int error = 0;

	while (!error && at < count) {
		uint64_t from, to;

		for (end = at; end < count && is_written(pages[end]);)
			end++;
		if (end == at) {
			at++;
			continue;
		}
		from = address + (uint64_t)at * MEMORY_PAGE;
		to = address + (uint64_t)end * MEMORY_PAGE;
		from = from < range->begin ? range->begin : from;
		to = to > range->end ? range->end : to;
		error = pay(reading->stacks, pages + at, end - at);
		if (!error)
			error = memory_read_present(reading->stacks->pid, from, reading->words, to - from);
		if (!error)
			error = reading->visit(reading->context, from, reading->words, (to - from) / WORD);
		at = end;
	}
	return error;
}

static int read_range(struct reading *reading, int pagemap, const struct stack_range *range)
{
	uint64_t pages[PIECE_PAGES];
	int error = 0;

	for (uint64_t at = range->begin & ~(uint64_t)(MEMORY_PAGE - 1); !error && at < range->end;) {
		uint64_t left = (range->end - at + MEMORY_PAGE - 1) / MEMORY_PAGE;
		unsigned int count = left < PIECE_PAGES ? (unsigned int)left : PIECE_PAGES;
		size_t size = count * sizeof(pages[0]);
		ssize_t got = pread(pagemap, pages, size, (off_t)(at / MEMORY_PAGE * sizeof(pages[0])));

		if (got != (ssize_t)size)
			return got < 0 ? -errno : -EIO;
		error = read_piece(reading, range, at, pages, count);
		at += (uint64_t)count * MEMORY_PAGE;
	}
	return error;
}

int stacks_read(struct stacks *stacks,
		int (*visit)(void *context, uint64_t address, const uint64_t *words, size_t count), void *context)
{
	struct reading *reading = malloc(sizeof(*reading));
	char path[64];
	int error = 0, pagemap;

	if (!reading)
		return -ENOMEM;
	reading->stacks = stacks;
	reading->visit = visit;
	reading->context = context;
	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)stacks->pid);
	pagemap = open(path, O_RDONLY | O_CLOEXEC);
	if (pagemap < 0)
		error = -errno;
	for (unsigned int i = 0; i < stacks->count && !error; i++)
		error = read_range(reading, pagemap, &stacks->ranges[i]);
	if (pagemap >= 0)
		close(pagemap);
	free(reading);
	return error;
}

int stacks_peek(pid_t tid, uint64_t address, void *to, size_t size)
{
	const uint64_t first = address / MEMORY_PAGE, last = (address + size - 1) / MEMORY_PAGE;
	uint64_t pages[2];
	char path[64];
	ssize_t got = -1;
	int fd;

	if (last - first > 1)
		return -EFAULT;
	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		got = pread(fd, pages, sizeof(pages), (off_t)(first * sizeof(pages[0])));
		close(fd);
	}
	for (unsigned int i = 0; i <= last - first; i++)
		if (got < (ssize_t)((i + 1) * sizeof(pages[0])) || !(pages[i] & (PAGE_PRESENT | PAGE_SWAPPED)))
			return -EFAULT;
		else if (pages[i] & PAGE_GUARDED)
			return -EBUSY;
	return memory_read_present(tid, address, to, size);
}
