/* SPDX-License-Identifier: GPL-2.0-or-later
 * A socketpair and files, used by write and read, which do for both. */
#ifndef FILES_H
#define FILES_H

#include "tally.h"

static int pair[2];

static inline int open_file(void)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	return fd >= 0 ? fd : memfd_create("file", 0);
}

/* Writes to, and reads from, what is not a socket: nothing to count. */
static inline void use_file(int fd)
{
	must(write(fd, buffer, 1009) == 1009 && lseek(fd, 0, SEEK_SET) == 0 && read(fd, (char[1009]){0}, 1009) == 1009);
}

static inline void use_pair(int sender, int receiver, size_t size)
{
	must(count_write(sender, size) == (ssize_t)size && count_read(receiver, size) == (ssize_t)size);
}

#endif
