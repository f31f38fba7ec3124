/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A page that is there can be read. Of one that is not, /proc/TID/smaps tells whether userfaultfd(2) guards it, but
 * that costs as much as ten stops. So the first question is whether all are there: move_pages(2) says so when it is not
 * told where to; and where that is refused, /proc/TID/pagemap.
 *
 * A race that only a program can win that wants to: another of its threads gives the page back (madvise) between this
 * look and the read.
 */
#include "machine/presence.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGES 64		/* that are asked about at once */
#define PAGE_THERE (3ull << 62) /* present, or swapped */

static bool pagemap_has(pid_t tid, void *const *pages, unsigned int count)
{
	const long size = sysconf(_SC_PAGESIZE);
	uint64_t entry = 0;
	char path[64];
	bool all = true;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	for (unsigned int i = 0; fd >= 0 && all && i < count; i++) {
		off_t at = (off_t)((uintptr_t)pages[i] / (uintptr_t)size * sizeof(entry));

		all = pread(fd, &entry, sizeof(entry), at) == sizeof(entry) && entry & PAGE_THERE;
	}
	if (fd >= 0)
		close(fd);
	return all && fd >= 0;
}

static bool all_there(pid_t tid, void *const *pages, unsigned int count)
{
	int status[PAGES];

	if (syscall(SYS_move_pages, tid, (unsigned long)count, pages, NULL, status, 0) < 0)
		return pagemap_has(tid, pages, count);
	for (unsigned int i = 0; i < count; i++)
		if (status[i] < 0)
			return false;
	return true;
}

bool presence_has_pages(pid_t tid, const uint64_t *pages, unsigned int count)
{
	void *some[PAGES];
	bool all = true;

	for (unsigned int at = 0; at < count && all; at += PAGES) {
		const unsigned int part = count - at < PAGES ? count - at : PAGES;

		for (unsigned int i = 0; i < part; i++)
			some[i] = (void *)(uintptr_t)pages[at + i];
		all = all_there(tid, some, part);
	}
	return all;
}

/* VmFlags: Documentation/filesystems/proc.rst */
static bool is_guarded(const char *flags)
{
	return strstr(flags, " um") || strstr(flags, " ui");
}

/* A mapping's first line begins with its range, those that follow tell of it. */
static bool guards(pid_t tid, uint64_t begin, uint64_t end)
{
	uint64_t from = 0, to = 0, low, high;
	char path[64], *line = NULL;
	size_t size = 0;
	bool found = false;
	FILE *smaps;

	snprintf(path, sizeof(path), "/proc/%d/smaps", (int)tid);
	smaps = fopen(path, "re");
	while (smaps && !found && from < end && getline(&line, &size, smaps) > 0) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &low, &high) == 2) {
			from = low;
			to = high;
		} else if (strncmp(line, "VmFlags:", 8) == 0) {
			found = from < end && to > begin && is_guarded(line);
		}
	}
	if (smaps)
		fclose(smaps);
	free(line);
	return found;
}

bool presence_waits(pid_t tid, uint64_t address, size_t length)
{
	const uint64_t end = length <= UINT64_MAX - address ? address + length : UINT64_MAX;
	uint64_t at = address & ~(uint64_t)(MEMORY_PAGE - 1);
	void *pages[PAGES];

	while (at < end) {
		const uint64_t from = at;
		unsigned int count = 0;

		for (; count < PAGES && at < end && at >= from; at += MEMORY_PAGE)
			pages[count++] = (void *)(uintptr_t)at;
		if (!all_there(tid, pages, count))
			return guards(tid, from > address ? from : address, end);
		if (at < from)
			break; /* the end of all addresses */
	}
	return false;
}
