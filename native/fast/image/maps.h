/* SPDX-License-Identifier: GPL-2.0-or-later
 * What a process has mapped, of whatever kind: /proc/PID/maps. */
#ifndef PT_FAST_MAPS_H
#define PT_FAST_MAPS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Is anything mapped there? Where that can't be read: yes. */
bool mapped_within(pid_t pid, uint64_t begin, uint64_t end);
/* Is there a gap of this length? Where that can't be read: no. */
bool mapped_gap(pid_t pid, uint64_t begin, uint64_t end, uint64_t length);
struct mapped_file {
	uint64_t begin; /* of the mapping */
	uint64_t end;
	uint64_t offset; /* of that in its file */
	char *path;	 /* as maps has it; "": no file */
};

/* The mapping that holds the address. The caller frees its path. False: there is none, it can't be read, or no memory.
 */
bool mapped_file(pid_t pid, uint64_t address, struct mapped_file *file);
/* Where its vDSO begins, or 0. */
uint64_t mapped_vdso(pid_t pid);

#endif
