/* SPDX-License-Identifier: GPL-2.0-only
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
/* Where its vDSO begins, or 0. */
uint64_t mapped_vdso(pid_t pid);

#endif
