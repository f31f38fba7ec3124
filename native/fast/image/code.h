/* SPDX-License-Identifier: GPL-2.0-or-later
 * Executable code of tracees, and the system calls in it. */
#ifndef PT_FAST_CODE_H
#define PT_FAST_CODE_H

#include "fast/image/image.h"
#include "fast/image/mapping.h"
#include "fast/scan/sites.h"
#include "state/tracer.h"

#define CODE_CHUNK (64u << 10) /* bytes */

/* The sites of a piece of code. It is known again by its bytes, whoever maps it and from where: a file may be written
 * anew, and another one may get its number. */
struct code {
	struct code *next;
	size_t size;
	uint64_t *sums; /* of each CODE_CHUNK of it */
	uint64_t sum;	/* of all of it */
	bool kept;	/* of a file: it may come again */
	struct site *sites;
	unsigned int count;
};

/* Its system calls, as they were before any jump of the image (or NULL) was written. NULL: it can't be read, or no
 * memory. If the mapping has a code already, that. */
const struct code *code_look(struct pt_tracer *t, pid_t pid, const struct image *image, const struct mapping *mapping);
/* Does this CODE_CHUNK of it still hold what was found there, beside our jumps? */
bool code_is_unchanged(const struct pt_tracer *t, const struct image *image, const struct known *known, size_t chunk);
/* Forgets code that belongs to no file: generated code mostly does not come again. */
void code_forget(struct pt_tracer *t);
void code_destroy(struct pt_tracer *t);

#endif
