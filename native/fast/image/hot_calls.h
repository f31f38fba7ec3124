/* SPDX-License-Identifier: GPL-2.0-only
 *
 * THE list of calls that stubs know, for the assembler and for C: one more call is one more row here, and, if it moves
 * bytes, its row in ../../syscalls/syscalls.c. stub.h checks that the bits are those that the tracer thinks.
 *
 *   row(bit of FAST_FLAGS, name, macro of stub.S, its further arguments)
 *
 * The most frequent ones come first: a stub for a site that makes any call compares in this order, and so does the
 * filter. Other calls than these stop.
 */
#ifndef PT_FAST_HOT_CALLS_H
#define PT_FAST_HOT_CALLS_H

/* clang-format off */

/* Calls that move bytes. */
#define HOT_TRANSFERS(row)                                          \
	row(0, sendto, TRANSFER, no_address=r8)                     \
	row(1, recvfrom, TRANSFER, no_address=r8, flags=r10d)       \
	row(2, sendmsg, TRANSFER, most=FAST_SOCKET)                 \
	row(3, recvmsg, TRANSFER, most=FAST_SOCKET, flags=edx)      \
	row(4, read, TRANSFER)                                      \
	row(5, write, TRANSFER)                                     \
	row(6, readv, TRANSFER)                                     \
	row(7, writev, TRANSFER)                                    \
	row(8, preadv2, TRANSFER)                                   \
	row(9, pwritev2, TRANSFER)                                  \
	row(10, sendfile, SENDFILE)

/* Calls that close an fd: they go on from those. */
#define HOT_CLOSES(row)                                             \
	row(11, close, CLOSE, edi)                                  \
	row(12, dup2, CLOSE, esi, keeps=edi)                        \
	row(13, dup3, CLOSE, esi)

/* Calls that pass unless they touch the fast path's memory, or code: row(name, macro). */
#define HOT_MAPPINGS(row)                                           \
	row(mmap, MAPPING)                                          \
	row(mprotect, PROTECTING)                                   \
	row(pkey_mprotect, PROTECTING)                              \
	row(munmap, RANGE)                                          \
	row(madvise, ADVISING)                                      \
	row(mincore, RANGE)                                         \
	row(mremap, REMAPPING)                                      \
	row(brk, BREAKING)

/* clang-format on */

#endif
