/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/pieces.h"

#include <sys/uio.h>

#include "machine/memory.h"
#include "machine/presence.h"

#define AT_ONCE 128

static uint64_t page_of(uint64_t address)
{
	return address & ~(uint64_t)(MEMORY_PAGE - 1);
}

/* Are all of them there? Neighbours share their pages. */
static bool are_there(pid_t tid, const struct piece *pieces, unsigned int count)
{
	uint64_t pages[2 * AT_ONCE];
	unsigned int found = 0;

	for (unsigned int i = 0; i < count; i++) {
		const uint64_t last = page_of(pieces[i].address + pieces[i].length - 1);

		for (uint64_t page = page_of(pieces[i].address); page <= last; page += MEMORY_PAGE)
			if (!found || pages[found - 1] != page)
				pages[found++] = page;
	}
	return presence_has_pages(tid, pages, found);
}

/* False: not all at once. */
static bool read_together(pid_t tid, struct piece *pieces, unsigned int count)
{
	struct iovec local[AT_ONCE], remote[AT_ONCE];
	ssize_t length = 0;

	for (unsigned int i = 0; i < count; i++) {
		local[i] = (struct iovec){.iov_base = pieces[i].to, .iov_len = pieces[i].length};
		remote[i] = (struct iovec){.iov_base = (void *)(uintptr_t)pieces[i].address,
					   .iov_len = pieces[i].length};
		length += pieces[i].length;
	}
	return are_there(tid, pieces, count) && process_vm_readv(tid, local, count, remote, count, 0) == length;
}

void pieces_read(pid_t tid, struct piece *pieces, unsigned int count)
{
	for (unsigned int at = 0; at < count; at += AT_ONCE) {
		const unsigned int part = count - at < AT_ONCE ? count - at : AT_ONCE;
		const bool together = read_together(tid, pieces + at, part);

		for (struct piece *piece = pieces + at; piece < pieces + at + part; piece++)
			piece->read = together || memory_read(tid, piece->address, piece->to, piece->length) == 0;
	}
}
