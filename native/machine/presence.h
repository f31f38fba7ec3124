/* SPDX-License-Identifier: GPL-2.0-or-later
 * Memory of a tracee whose reading would never end. */
#ifndef PT_PRESENCE_H
#define PT_PRESENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define MEMORY_PAGE 4096 /* no mapping ends within one, whatever the machine's pages are */

/* Might the kernel have to ask the program for one of these bytes (userfaultfd(2))? The thread that would have to
 * answer may be one that waits for ptmon. */
bool presence_waits(pid_t tid, uint64_t address, size_t length);

/* Are these pages (their addresses) all there, so that they can be read? */
bool presence_has_pages(pid_t tid, const uint64_t *pages, unsigned int count);

#endif
