/* SPDX-License-Identifier: GPL-2.0-or-later
 * Entries that stubs write and the tracer reads: of ends (ending.S), and of attempts (attempt.S). */
#ifndef PT_FAST_ENTRIES_H
#define PT_FAST_ENTRIES_H

#include "fast/image/image.h"

/* Where those of a kind lie, layout.h. */
struct entries {
	uint64_t words; /* how many were taken, ever; and which one is tried next */
	uint64_t states;
	uint64_t begin;
	unsigned int count;
	unsigned int bits; /* of the room for one */
	size_t size;
};

/* Calls take for each that is whole, which is free again then; in the order in which they were taken, mostly. If that
 * fails with -ENOMEM the entry is read again the next time. 0 or -errno; -EPROTO: no stub has written that. */
int entries_read(struct image *image, const struct entries *kind, struct fast_entries_seen *seen,
		 int (*take)(struct image *image, const void *entry));
/* Nobody reads them any more, nor (unless threads) writes them: all are free, but for those that a thread is still to
 * write. 0 or -errno. */
int entries_forget(const struct image *image, const struct entries *kind, bool threads);

#endif
