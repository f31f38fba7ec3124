/* SPDX-License-Identifier: GPL-2.0-only
 * Executable code of tracees, and the system calls in it. */
#ifndef PT_FAST_CODE_H
#define PT_FAST_CODE_H

#include "fast/image/image.h"
#include "fast/scan/sites.h"
#include "state/tracer.h"

struct code;

/* A mapping of executable code: /proc/PID/maps. */
struct mapping {
	uint64_t begin;
	uint64_t end;
	uint64_t offset; /* in the file */
	uint64_t device;
	uint64_t inode; /* 0: no file */
	bool writable;
	bool shared;		 /* MAP_SHARED: others may change it */
	const struct code *code; /* what was found there, once somebody has looked; else NULL */
};

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

/* The mapping that holds the address. 1; 0: there is none, or it is shared; -errno. */
int code_find(pid_t pid, uint64_t address, struct mapping *mapping);
/* Calls visit for each private executable mapping, until it returns false. 0 or -errno. */
int code_each(pid_t pid, bool (*visit)(const struct mapping *mapping, void *context), void *context);
/* And for each executable one. */
int code_each_executable(pid_t pid, bool (*visit)(const struct mapping *mapping, void *context), void *context);
/* Is exactly this range a private mapping of no file? */
bool code_is_anonymous(pid_t pid, uint64_t begin, uint64_t size);
/* And is it executable, and not writable? */
bool code_is_unwritable(pid_t pid, uint64_t begin, uint64_t size);
/* Its system calls, as they were before any jump of the image (or NULL) was written. NULL: it can't be read, or no
 * memory. If the mapping has a code already, that. */
const struct code *code_look(struct pt_tracer *t, pid_t pid, const struct image *image, const struct mapping *mapping);
/* Does this CODE_CHUNK of it still hold what was found there, beside our jumps? */
bool code_is_unchanged(const struct pt_tracer *t, const struct image *image, const struct known *known, size_t chunk);
/* Forgets code that belongs to no file: generated code mostly does not come again. */
void code_forget(struct pt_tracer *t);
void code_destroy(struct pt_tracer *t);

#endif
