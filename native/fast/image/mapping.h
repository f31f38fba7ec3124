/* SPDX-License-Identifier: GPL-2.0-or-later
 * Mappings of executable code: /proc/PID/maps. */
#ifndef PT_FAST_MAPPING_H
#define PT_FAST_MAPPING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct code;

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

/* The mapping that holds the address. 1; 0: there is none, or it is shared; -errno. */
int mapping_find(pid_t pid, uint64_t address, struct mapping *mapping);
/* Calls visit for each private executable mapping, until it returns false. 0 or -errno. */
int mapping_each(pid_t pid, bool (*visit)(const struct mapping *mapping, void *context), void *context);
/* And for each executable one. */
int mapping_each_executable(pid_t pid, bool (*visit)(const struct mapping *mapping, void *context), void *context);
/* Is exactly this range a private mapping of no file? */
bool mapping_is_anonymous(pid_t pid, uint64_t begin, uint64_t size);
/* And is it executable, and not writable? */
bool mapping_is_unwritable(pid_t pid, uint64_t begin, uint64_t size);

#endif
