/* SPDX-License-Identifier: GPL-2.0-or-later
 * The table of system calls that are watched, and how each is counted. */
#ifndef PT_SYSCALLS_H
#define PT_SYSCALLS_H

#include <stdbool.h>
#include <stdint.h>

/* What the core does with a call: calls/rules.c has a row for each. Those up to RULE_SPLICE move bytes. */
enum rule {
	RULE_BYTES,	 /* the return value is the number of bytes */
	RULE_MSG,	 /* the same; the address is in a struct msghdr */
	RULE_MMSG,	 /* the bytes are the sum of msg_len; the return value counts messages */
	RULE_SENDFILE,	 /* from fd 1 into fd 0 */
	RULE_SPLICE,	 /* from fd 0 into fd 2 */
	RULE_SOCKETCALL, /* i386: one of the others, by number and an array of arguments */
	RULE_CLOSE,	 /* the fd's identity ends */
	RULE_DUP,	 /* the second fd's identity ends */
	RULE_CLOSE_RANGE,
	RULE_CONNECT, /* a datagram socket gets another peer */
	RULE_UNSHARE, /* an fd table is no longer shared */
	RULE_CLONE,   /* the child must be traced even if CLONE_UNTRACED is asked for */
	RULE_CLONE3,
	RULE_VFORK,
	RULE_EXEC, /* sockets with close-on-exec are about to be closed */
	RULE_SECCOMP,
	RULE_PRCTL,
	RULE_PTRACE,
	RULE_IO_URING,
	RULE_IO_URING_ENTER,
	RULE_PIDFD_GETFD, /* what is got may be a ring */
	RULE_IO_SUBMIT,
	/* These count for nothing: before them a process that has no socket gets the rest of the filter (calls/dry.c).
	 */
	RULE_SOCKET,
	RULE_CREDENTIALS, /* it may lose the right to a filter */
	RULE_BINDER,	  /* ioctl(2): who calls by binder may send fds along */
	RULE_COUNT
};

/* The ABIs that a process of this machine can call by. */
enum abi { ABI_X86_64, ABI_I386, ABI_AARCH64, ABI_COUNT };

#if defined(__x86_64__)
#define ABI_NATIVE ABI_X86_64
#define ABI_COMPAT ABI_I386
#elif defined(__aarch64__)
#define ABI_NATIVE ABI_AARCH64
#else
#error "ptmon knows x86_64 and aarch64"
#endif

/* The ABI that an AUDIT_ARCH_* of the kernel names; ABI_COUNT if it is none that the table knows. */
enum abi abi_of(uint32_t audit_arch);

#define X32_SYSCALL_BIT 0x40000000u

struct syscall_entry {
	const char *name;
	int16_t number[ABI_COUNT]; /* -1: this ABI has no such call */
	uint8_t rule;		   /* enum rule */
	uint8_t direction;	   /* enum pt_direction, of rules that move bytes one way */
	bool only_sockets;	   /* no other fd could succeed: the exit-stop is always needed */
	int8_t fd;		   /* argument that is the fd, or -1 */
	int8_t flags;		   /* argument that holds MSG_*, or -1 */
	int8_t address;		   /* argument that points to the address, the msghdr or the mmsghdrs, or -1 */
	bool vector;		   /* of RULE_BYTES: the buffers are those of a struct iovec */
};

/* The whole table, for the filter and the tests. */
const struct syscall_entry *syscall_table(unsigned int *count);
/* The entry of a number, or NULL if that call is not watched. */
const struct syscall_entry *syscall_find(enum abi abi, uint64_t number);
/* The entry of this name, or NULL. */
const struct syscall_entry *syscall_named(const char *name);
/* The table's index, as records bear it. */
uint16_t syscall_index(const struct syscall_entry *entry);
/* Is it of no interest where there are sockets already? */
static inline bool syscall_is_source(const struct syscall_entry *entry)
{
	return entry->rule >= RULE_SOCKET;
}

/* Does this call move bytes? */
static inline bool syscall_transfers(const struct syscall_entry *entry)
{
	return entry->rule <= RULE_SPLICE;
}

#endif
