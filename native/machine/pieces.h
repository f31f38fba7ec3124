/* SPDX-License-Identifier: GPL-2.0-or-later
 * Many small pieces of a tracee's memory, read by few calls. */
#ifndef PT_PIECES_H
#define PT_PIECES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct piece {
	uint64_t address;
	void *to;
	uint32_t length; /* at most a page */
	bool read;	 /* else it can't be, as memory_read() says */
};

void pieces_read(pid_t tid, struct piece *pieces, unsigned int count);

#endif
