/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reading the tracee's memory: process_vm_readv (one call, any length), and where that is refused PTRACE_PEEKDATA.
 *
 * Its code is not writable for the tracer by the first. Through /proc/PID/mem, or PTRACE_POKEDATA where that is closed,
 * a tracer may write it all the same; the kernel makes a private copy of the page, so that the file and other processes
 * see nothing of it.
 */
#include "machine/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "machine/proc_path.h"

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

static ssize_t read_vector(pid_t tid, uint64_t address, void *to, size_t length)
{
	struct iovec local = {.iov_base = to, .iov_len = length};
	struct iovec remote = {.iov_base = (void *)(uintptr_t)address, .iov_len = length};

	return process_vm_readv(tid, &local, 1, &remote, 1, 0);
}

int memory_read_direct(pid_t tid, uint64_t address, void *to, size_t length)
{
	const ssize_t got = read_vector(tid, address, to, length);

	return got == (ssize_t)length ? 0 : got < 0 ? -errno : -EFAULT;
}

int memory_read_present(pid_t tid, uint64_t address, void *to, size_t length)
{
	const int error = memory_read_direct(tid, address, to, length);

	return error && error != -EFAULT ? peek(tid, address, to, length) : error;
}

int memory_write_direct(pid_t tid, uint64_t address, const void *from, size_t length)
{
	struct iovec local = {.iov_base = (void *)(uintptr_t)from, .iov_len = length};
	struct iovec remote = {.iov_base = (void *)(uintptr_t)address, .iov_len = length};
	ssize_t got = process_vm_writev(tid, &local, 1, &remote, 1, 0);

	return got == (ssize_t)length ? 0 : got < 0 ? -errno : -EFAULT;
}

int memory_read(pid_t tid, uint64_t address, void *to, size_t length)
{
	return presence_waits(tid, address, length) ? -EFAULT : memory_read_present(tid, address, to, length);
}

static size_t read_pages(pid_t tid, uint64_t address, void *to, size_t size,
			 int (*read_all)(pid_t tid, uint64_t address, void *to, size_t length))
{
	size_t length = 0;

	while (length < size) {
		size_t part = MEMORY_PAGE - (address + length) % MEMORY_PAGE;

		if (part > size - length)
			part = size - length;
		if (read_all(tid, address + length, (uint8_t *)to + length, part) < 0)
			break;
		length += part;
	}
	return length;
}

size_t memory_read_mapped(pid_t tid, uint64_t address, void *to, size_t size)
{
	return memory_read(tid, address, to, size) == 0 ? size : read_pages(tid, address, to, size, memory_read);
}

size_t memory_read_fresh(pid_t tid, uint64_t address, void *to, size_t size)
{
	const ssize_t got = read_vector(tid, address, to, size);

	/* It ends where a page can't be read. Refused, it says nothing of the pages. */
	return got > 0 ? (size_t)got : read_pages(tid, address, to, size, memory_read_present);
}

static int poke(pid_t tid, uint64_t address, const uint8_t *from, size_t length)
{
	int error = 0;

	for (size_t at = 0; at < length && !error; at += sizeof(unsigned long)) {
		unsigned long word = 0;
		size_t part = length - at < sizeof(unsigned long) ? length - at : sizeof(unsigned long);

		if (part < sizeof(unsigned long))
			error = memory_read(tid, address + at, &word, sizeof(unsigned long));
		memcpy(&word, from + at, part);
		if (!error)
			error = memory_write_word(tid, address + at, word);
	}
	return error;
}

struct memory_code memory_code_begin(pid_t tid)
{
	struct memory_code code = {.tid = tid};
	char path[PROC_PATH];

	code.fd = proc_path(path, tid, "mem");
	if (code.fd == 0)
		code.fd = open(path, O_RDWR | O_CLOEXEC);
	return code;
}

int memory_code_write(const struct memory_code *code, uint64_t address, const void *from, size_t length)
{
	const ssize_t put = code->fd >= 0 ? pwrite(code->fd, from, length, (off_t)address) : -1;

	return put == (ssize_t)length ? 0 : poke(code->tid, address, from, length);
}

void memory_code_end(const struct memory_code *code)
{
	if (code->fd >= 0)
		close(code->fd);
}

int memory_write_code(pid_t tid, uint64_t address, const void *from, size_t length)
{
	const struct memory_code code = memory_code_begin(tid);
	const int error = memory_code_write(&code, address, from, length);

	memory_code_end(&code);
	return error;
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

size_t memory_msghdr_size(bool compat)
{
	return compat ? offsetof(struct compat_mmsghdr, length) : sizeof(struct msghdr);
}

size_t memory_mmsghdr_size(bool compat)
{
	return compat ? sizeof(struct compat_mmsghdr) : sizeof(struct mmsghdr);
}

size_t memory_iovec_size(bool compat)
{
	return 2 * memory_pointer_size(compat);
}

size_t memory_pointer_size(bool compat)
{
	return compat ? 4 : 8;
}

uint64_t memory_word(const void *from, size_t size)
{
	uint64_t word = 0;

	memcpy(&word, from, size); /* every ABI that is known is little-endian */
	return word;
}

static int read_compat(pid_t tid, uint64_t address, size_t size, struct message *out)
{
	struct compat_mmsghdr header = {0};
	int error = memory_read(tid, address, &header, size);

	*out = (struct message){
		.name = header.name,
		.iov = header.iov,
		.iov_length = header.iov_length,
		.name_length = header.name_length,
		.length = header.length,
	};
	return error;
}

static int read_native(pid_t tid, uint64_t address, size_t size, struct message *out)
{
	struct mmsghdr header = {0};
	int error = memory_read(tid, address, &header, size);

	*out = (struct message){
		.name = (uintptr_t)header.msg_hdr.msg_name,
		.iov = (uintptr_t)header.msg_hdr.msg_iov,
		.iov_length = header.msg_hdr.msg_iovlen,
		.name_length = header.msg_hdr.msg_namelen,
		.length = header.msg_len,
	};
	return error;
}

int memory_read_msghdr(pid_t tid, uint64_t address, bool compat, struct message *out)
{
	if (compat)
		return read_compat(tid, address, memory_msghdr_size(true), out);
	return read_native(tid, address, memory_msghdr_size(false), out);
}

int memory_read_mmsghdr(pid_t tid, uint64_t address, unsigned int index, bool compat, struct message *out)
{
	size_t size = memory_mmsghdr_size(compat);

	return compat ? read_compat(tid, address + index * size, size, out)
		      : read_native(tid, address + index * size, size, out);
}
