/* SPDX-License-Identifier: GPL-2.0-only
 * Executable code of tracees, and the system calls in it. */
#ifndef PT_FAST_CODE_H
#define PT_FAST_CODE_H

#include "fast/image.h"
#include "fast/sites.h"
#include "tracer.h"

/* A private mapping of executable code: /proc/PID/maps. */
struct mapping {
	uint64_t begin;
	uint64_t end;
	uint64_t offset; /* in the file */
	uint64_t device;
	uint64_t inode; /* 0: no file */
	bool writable;
};

/* The sites of a piece of a file; it is looked at once, whoever maps it. */
struct code {
	struct code *next;
	struct mapping of; /* begin and end as in the first process */
	struct site *sites;
	unsigned int count;
};

/* The mapping that holds the address. 1; 0: there is none, or it is shared; -errno. */
int code_find(pid_t pid, uint64_t address, struct mapping *mapping);
/* Calls visit for each private executable mapping, until it returns false. 0 or -errno. */
int code_each(pid_t pid, bool (*visit)(const struct mapping *mapping, void *context), void *context);
/* Is exactly this range a private mapping of no file? */
bool code_is_anonymous(pid_t pid, uint64_t begin, uint64_t size);
/* And is it executable, and not writable? */
bool code_is_unwritable(pid_t pid, uint64_t begin, uint64_t size);
/* Its system calls, as they were before any jump of the image (or NULL) was written. NULL: it can't be read, or no
 * memory. */
const struct code *code_look(struct pt_tracer *t, pid_t pid, const struct image *image, const struct mapping *mapping);
void code_destroy(struct pt_tracer *t);

#endif
