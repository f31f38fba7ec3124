/* SPDX-License-Identifier: GPL-2.0-or-later
 * By what code is known again. */
#ifndef PT_FAST_CHECKSUM_H
#define PT_FAST_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Without the key nobody can make bytes that have the same sum as others. */
uint64_t checksum(const uint8_t *bytes, size_t size, uint64_t key);
/* Are there bytes, wherever they begin, that could be a system call: syscall, int 0x80 or sysenter? */
bool checksum_has_calls(const uint8_t *bytes, size_t size);

#endif
