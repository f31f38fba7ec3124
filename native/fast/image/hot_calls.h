/* SPDX-License-Identifier: GPL-2.0-or-later
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

/* Calls that close an fd. */
#define HOT_CLOSES(row)                                             \
	row(0, close, CLOSE, edi, ends=yes)                         \
	row(1, dup2, CLOSE, esi, keeps=edi)                         \
	row(2, dup3, CLOSE, esi)

/* Calls that move bytes: they go on from those. One more gets the next bit. */
#define HOT_TRANSFERS(row)                                          \
	row(3, sendto, TRANSFER, no_address=r8)                     \
	row(4, recvfrom, TRANSFER, no_address=r8, flags=r10d)       \
	row(5, sendmsg, TRANSFER, most=FAST_SOCKET)                 \
	row(6, recvmsg, TRANSFER, most=FAST_SOCKET, flags=edx)      \
	row(7, read, TRANSFER)                                      \
	row(8, write, TRANSFER)                                     \
	row(9, readv, TRANSFER)                                     \
	row(10, writev, TRANSFER)                                   \
	row(11, preadv2, TRANSFER)                                  \
	row(12, pwritev2, TRANSFER)                                 \
	row(13, sendfile, SENDFILE)

/* Calls that open a file, which is no socket: the stub notes that, or the first call on the fd would stop to have it
 * looked up. Nobody has to see them. */
#define HOT_OPENS(row)                                              \
	row(openat, OPENING)                                        \
	row(open, OPENING)

/* Calls that make sockets: row(name, macro). */
#define HOT_BIRTHS(row)                                             \
	row(accept, ACCEPT)                                         \
	row(accept4, ACCEPT)                                        \
	row(socket, MAKING)

/* Calls that connect them. */
#define HOT_CONNECTS(row)                                           \
	row(connect, CONNECTING)

/* Calls that make what is not noted. */
#define HOT_PAIRS(row)                                              \
	row(socketpair, PASSING)

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
