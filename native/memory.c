/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Reading the tracee's memory: process_vm_readv (one call, any length), and where that is refused PTRACE_PEEKDATA.
 */
#include "memory.h"

#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>

static int peek(pid_t tid, uint64_t address, uint8_t *to, size_t length)
{
	while (length) {
		uint64_t start = address & ~(uint64_t)(sizeof(long) - 1);
		size_t skip = (size_t)(address - start);
		size_t part = sizeof(long) - skip < length ? sizeof(long) - skip : length;
		long word;

		errno = 0;
		word = ptrace(PTRACE_PEEKDATA, tid, start, 0);
		if (errno)
			return -errno;
		memcpy(to, (const uint8_t *)&word + skip, part);
		to += part;
		address += part;
		length -= part;
	}
	return 0;
}

int memory_read(pid_t tid, uint64_t address, void *to, size_t length)
{
	struct iovec local = {.iov_base = to, .iov_len = length};
	struct iovec remote = {.iov_base = (void *)(uintptr_t)address, .iov_len = length};
	ssize_t got = process_vm_readv(tid, &local, 1, &remote, 1, 0);

	if (got == (ssize_t)length)
		return 0;
	if (got >= 0 || errno == EFAULT)
		return -EFAULT;
	return peek(tid, address, to, length);
}

int memory_write_word(pid_t tid, uint64_t address, unsigned long word)
{
	return ptrace(PTRACE_POKEDATA, tid, address, word) < 0 ? -errno : 0;
}

/* struct compat_msghdr and compat_mmsghdr, include/net/compat.h of the kernel */
struct compat_mmsghdr {
	uint32_t name;
	uint32_t name_length;
	uint32_t iov;
	uint32_t iov_length;
	uint32_t control;
	uint32_t control_length;
	uint32_t flags;
	uint32_t length; /* not in a msghdr */
};

static int read_compat(pid_t tid, uint64_t address, size_t size, struct message *out)
{
	struct compat_mmsghdr header = {0};
	int error = memory_read(tid, address, &header, size);

	*out = (struct message){.name = header.name, .name_length = header.name_length, .length = header.length};
	return error;
}

static int read_native(pid_t tid, uint64_t address, size_t size, struct message *out)
{
	struct mmsghdr header = {0};
	int error = memory_read(tid, address, &header, size);

	*out = (struct message){
		.name = (uintptr_t)header.msg_hdr.msg_name,
		.name_length = header.msg_hdr.msg_namelen,
		.length = header.msg_len,
	};
	return error;
}

int memory_read_msghdr(pid_t tid, uint64_t address, bool compat, struct message *out)
{
	if (compat)
		return read_compat(tid, address, offsetof(struct compat_mmsghdr, length), out);
	return read_native(tid, address, sizeof(struct msghdr), out);
}

int memory_read_mmsghdr(pid_t tid, uint64_t address, unsigned int index, bool compat, struct message *out)
{
	if (compat)
		return read_compat(tid, address + index * sizeof(struct compat_mmsghdr), sizeof(struct compat_mmsghdr),
				   out);
	return read_native(tid, address + index * sizeof(struct mmsghdr), sizeof(struct mmsghdr), out);
}
