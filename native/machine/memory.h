/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PT_MEMORY_H
#define PT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "machine/presence.h"

/* Copies length bytes from the tracee, which must be in a ptrace-stop. 0, or -errno (nothing is copied then, or not
 * all). Memory that userfaultfd(2) guards, and that is not there yet, is not read. */
int memory_read(pid_t tid, uint64_t address, void *to, size_t length);
/* The same where that is known of all bytes. */
int memory_read_present(pid_t tid, uint64_t address, void *to, size_t length);
/* Memory of which that is known, and that the tracee itself may read and write, whether it stands or not; -EPERM where
 * it may not be looked at. */
int memory_read_direct(pid_t tid, uint64_t address, void *to, size_t length);
int memory_write_direct(pid_t tid, uint64_t address, const void *from, size_t length);
/* Copies up to size bytes, to the end of what is mapped. Returns how many. */
size_t memory_read_mapped(pid_t tid, uint64_t address, void *to, size_t size);
/* The same right after an execve: nobody has had it guarded by userfaultfd(2) yet, so it need not be looked at first.
 */
size_t memory_read_fresh(pid_t tid, uint64_t address, void *to, size_t size);
/* Writes any bytes, also where the tracee itself may not. 0 or -errno. */
int memory_write_code(pid_t tid, uint64_t address, const void *from, size_t length);
/* The same for who writes many times: in between. */
struct memory_code {
	pid_t tid;
	int fd; /* of /proc/PID/mem, or -errno */
};
struct memory_code memory_code_begin(pid_t tid);
int memory_code_write(const struct memory_code *code, uint64_t address, const void *from, size_t length);
void memory_code_end(const struct memory_code *code);
/* Writes one word of the tracee; also where the page is read-only, as a debugger does. 0 or -errno. */
int memory_write_word(pid_t tid, uint64_t address, unsigned long word);

/* The fields of struct msghdr and mmsghdr that count, whichever the ABI. */
struct message {
	uint64_t name; /* address of the socket address */
	uint64_t iov;
	uint64_t iov_length; /* parts */
	uint32_t name_length;
	uint32_t length; /* msg_len, of a mmsghdr */
};

/* Bytes of a msghdr, of a mmsghdr, of an iovec and of a pointer. */
size_t memory_msghdr_size(bool compat);
size_t memory_mmsghdr_size(bool compat);
size_t memory_iovec_size(bool compat);
size_t memory_pointer_size(bool compat);
/* The number that is in so many bytes (at most 8). */
uint64_t memory_word(const void *from, size_t size);

/* Reads a msghdr, or number index of an array of mmsghdr, of the native or the 32-bit ABI. 0 or -errno. */
int memory_read_msghdr(pid_t tid, uint64_t address, bool compat, struct message *out);
int memory_read_mmsghdr(pid_t tid, uint64_t address, unsigned int index, bool compat, struct message *out);

#endif
