/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PT_MEMORY_H
#define PT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Copies length bytes from the tracee, which must be in a ptrace-stop. 0, or -errno (nothing is copied then, or not
 * all). */
int memory_read(pid_t tid, uint64_t address, void *to, size_t length);
/* Writes one word of the tracee; also where the page is read-only, as a debugger does. 0 or -errno. */
int memory_write_word(pid_t tid, uint64_t address, unsigned long word);

/* The fields of struct msghdr and mmsghdr that count, whichever the ABI. */
struct message {
	uint64_t name; /* address of the socket address */
	uint32_t name_length;
	uint32_t length; /* msg_len, of a mmsghdr */
};

/* Reads a msghdr, or number index of an array of mmsghdr, of the native or the 32-bit ABI. 0 or -errno. */
int memory_read_msghdr(pid_t tid, uint64_t address, bool compat, struct message *out);
int memory_read_mmsghdr(pid_t tid, uint64_t address, unsigned int index, bool compat, struct message *out);

#endif
