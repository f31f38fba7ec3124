/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The tracee: the linker lets the core call these instead of the C library (--wrap).
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fuzz.h"

static const struct {
	uint64_t begin;
	uint64_t size;
} ranges[] = {{FAST_DATA, FAST_DATA_SIZE}, {FAST_CODE, FAST_CODE_SIZE}, {PROGRAM, PROGRAM_SIZE}};

#define RANGES (sizeof(ranges) / sizeof(ranges[0]))

static struct {
	bool mapped;
	bool hidden;
	const uint8_t *maps;
	size_t maps_length;
} memory;

static void *at(uint64_t address)
{
	return (void *)(uintptr_t)address;
}

void memory_begin(void)
{
	for (size_t i = 0; i < RANGES; i++) {
		if (!memory.mapped)
			HOLDS(mmap(at(ranges[i].begin), ranges[i].size, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == at(ranges[i].begin));
		else
			HOLDS(madvise(at(ranges[i].begin), ranges[i].size, MADV_DONTNEED) == 0); /* zeros again */
	}
	memory.mapped = true;
	memory.hidden = false;
	memory.maps = NULL;
}

void memory_maps(const uint8_t *text, size_t length)
{
	memory.maps = text;
	memory.maps_length = length;
}

void memory_hide_rings(void)
{
	memory.hidden = true;
}

static bool is_there(uint64_t address, size_t length)
{
	for (size_t i = 0; i < RANGES; i++)
		if (address >= ranges[i].begin && address - ranges[i].begin <= ranges[i].size &&
		    length <= ranges[i].size - (address - ranges[i].begin))
			return true;
	return false;
}

void memory_put(uint64_t address, const void *from, size_t length)
{
	HOLDS(is_there(address, length));
	memcpy(at(address), from, length);
}

static ssize_t copy(const struct iovec *local, const struct iovec *remote, bool in)
{
	const uint64_t address = (uintptr_t)remote->iov_base;

	if (!is_there(address, remote->iov_len) || (memory.hidden && address >= FAST_RING && address < FAST_SLOTS)) {
		errno = EFAULT;
		return -1;
	}
	HOLDS(local->iov_len == remote->iov_len);
	memcpy(in ? local->iov_base : remote->iov_base, in ? remote->iov_base : local->iov_base, local->iov_len);
	return (ssize_t)local->iov_len;
}

ssize_t __wrap_process_vm_readv(pid_t pid, const struct iovec *local, unsigned long locals, const struct iovec *remote,
				unsigned long remotes, unsigned long flags);
ssize_t __wrap_process_vm_readv(pid_t pid, const struct iovec *local, unsigned long locals, const struct iovec *remote,
				unsigned long remotes, unsigned long flags)
{
	ssize_t length = 0;

	(void)pid, (void)flags;
	HOLDS(locals == remotes);
	for (unsigned long i = 0; i < locals; i++) {
		const ssize_t part = copy(&local[i], &remote[i], true);

		if (part < 0)
			return length ? length : part;
		length += part;
	}
	return length;
}

ssize_t __wrap_process_vm_writev(pid_t pid, const struct iovec *local, unsigned long locals, const struct iovec *remote,
				 unsigned long remotes, unsigned long flags);
ssize_t __wrap_process_vm_writev(pid_t pid, const struct iovec *local, unsigned long locals, const struct iovec *remote,
				 unsigned long remotes, unsigned long flags)
{
	(void)pid, (void)flags;
	HOLDS(locals == 1 && remotes == 1);
	return copy(local, remote, false);
}

/* Code is written through /proc/PID/mem. */
ssize_t __wrap_pwrite(int fd, const void *from, size_t length, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *from, size_t length, off_t offset)
{
	(void)fd;
	if (!is_there((uint64_t)offset, length))
		return -1;
	memcpy(at((uint64_t)offset), from, length);
	return (ssize_t)length;
}

long __wrap_ptrace(int request, ...);
long __wrap_ptrace(int request, ...)
{
	(void)request;
	errno = ESRCH;
	return -1;
}

bool __wrap_presence_waits(pid_t tid, uint64_t address, size_t length);
bool __wrap_presence_waits(pid_t tid, uint64_t address, size_t length)
{
	(void)tid, (void)address, (void)length;
	return false;
}

bool __wrap_presence_has_pages(pid_t tid, const uint64_t *pages, unsigned int count);
bool __wrap_presence_has_pages(pid_t tid, const uint64_t *pages, unsigned int count)
{
	(void)tid, (void)pages, (void)count;
	return true;
}

FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode)
{
	static char text[256];
	const size_t length = strlen(path);

	if (length < 5 || strcmp(path + length - 5, "/maps") != 0)
		return __real_fopen(path, mode);
	if (memory.maps)
		return memory.maps_length ? fmemopen((void *)(uintptr_t)memory.maps, memory.maps_length, "r") : NULL;
	snprintf(text, sizeof(text), "%x-%x r-xp 0 8:1 1 /program\n%x-%x rw-p 0 0:0 0\n%x-%x r-xp 0 0:0 0\n", PROGRAM,
		 PROGRAM + PROGRAM_SIZE, FAST_DATA, FAST_DATA + FAST_DATA_SIZE, FAST_CODE, FAST_CODE + FAST_CODE_SIZE);
	return fmemopen(text, strlen(text), "r");
}
