/* SPDX-License-Identifier: GPL-2.0-or-later
 * Calls that wait for nobody, but have much to do in the kernel. See blocking.h. */
#include <sys/random.h>
#include <sys/sendfile.h>

#include "blocking.h"

#define SIZE (64 * MIB)
#define LARGE (1024 * MIB) /* of pages that are all the same one */

static char *pages;
static int source;

static void new_memory(void)
{
	pages = memory(SIZE);
}

static void urandom(void)
{
	new_memory();
	must((near = open("/dev/urandom", O_RDONLY)) >= 0);
}

static void zeros(void)
{
	new_memory();
	must((near = open("/dev/zero", O_RDONLY)) >= 0);
}

static void empty_file(void)
{
	make_bytes(SIZE);
	near = new_file("written", 0);
}

static void full_file(void)
{
	new_memory();
	make_bytes(SIZE);
	near = file_of_bytes("read");
}

static void two_files(void)
{
	make_bytes(SIZE);
	source = file_of_bytes("source");
	near = new_file("copy", 0);
}

static void file_in_memory(void)
{
	must((near = memfd_create("file", MFD_CLOEXEC)) >= 0);
}

/* Maps the page of zeros all over, and a page of its own, for the sake of which a fork copies all entries. */
static void large_memory(void)
{
	pages = memory(LARGE);
	must(madvise(pages, LARGE, MADV_NOHUGEPAGE) == 0);
	must(madvise(pages, LARGE, MADV_POPULATE_READ) == 0);
	pages[0] = 1;
}

static long by_getrandom(void)
{
	return getrandom(pages, SIZE, 0);
}

static long by_read(void)
{
	return read(near, pages, SIZE);
}

/* From the beginning each time. */
static long by_write(void)
{
	must(lseek(near, 0, SEEK_SET) == 0);
	return write(near, bytes, SIZE);
}

static long by_read_of_file(void)
{
	must(lseek(near, 0, SEEK_SET) == 0);
	return read(near, pages, SIZE);
}

static long by_pwrite(void)
{
	return pwrite(near, bytes, SIZE, 0);
}

static long by_pread(void)
{
	return pread(near, pages, SIZE, 0);
}

static long by_copy_file_range(void)
{
	loff_t from = 0, to = 0;
	long moved = copy_file_range(source, &from, near, &to, SIZE, 0);

	must(from == (moved < 0 ? 0 : moved) && to == from);
	return moved;
}

static long by_sendfile(void)
{
	off_t from = 0;

	must(lseek(near, 0, SEEK_SET) == 0);
	return sendfile(near, source, &from, SIZE);
}

static long by_fsync(void)
{
	must(by_pwrite() == SIZE);
	return fsync(near);
}

static long by_sync_file_range(void)
{
	must(by_pwrite() == SIZE);
	return sync_file_range(near, 0, 0, SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
}

static long by_readahead(void)
{
	must(posix_fadvise(near, 0, 0, POSIX_FADV_DONTNEED) == 0);
	return readahead(near, 0, SIZE);
}

static long by_fallocate(void)
{
	must(ftruncate(near, 0) == 0);
	return fallocate(near, 0, 0, SIZE);
}

static long by_posix_fallocate(void)
{
	must(ftruncate(near, 0) == 0);
	errno = posix_fallocate(near, 0, SIZE);
	return errno ? -1 : 0;
}

/* The number of pages that are there. */
static long by_mmap(void)
{
	static unsigned char present[SIZE / 4096];
	void *mapped = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	long count = 0;

	must(mapped != MAP_FAILED && mincore(mapped, SIZE, present) == 0 && munmap(mapped, SIZE) == 0);
	for (size_t i = 0; i < sizeof present; i++)
		count += present[i] & 1;
	return count;
}

static long by_madvise(void)
{
	must(madvise(pages, SIZE, MADV_DONTNEED) == 0);
	return madvise(pages, SIZE, MADV_POPULATE_WRITE);
}

static long by_process_vm_readv(void)
{
	struct iovec to = {pages, SIZE}, from = {bytes, SIZE};

	return process_vm_readv(getpid(), &to, 1, &from, 1, 0);
}

static void two_memories(void)
{
	new_memory();
	make_bytes(SIZE);
}

static long by_fork(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(7);
	return child < 0 ? -1 : WEXITSTATUS(reap(child));
}

int main(int argc, char **argv)
{
	static const struct row rows[] = {
		WORKS("getrandom", new_memory, by_getrandom),
		WORKS("read-urandom", urandom, by_read),
		WORKS("read-zero", zeros, by_read),
		WORKS("write-file", empty_file, by_write),
		WORKS("read-file", full_file, by_read_of_file),
		WORKS("pwrite-file", empty_file, by_pwrite),
		WORKS("pread-file", full_file, by_pread),
		WORKS("copy_file_range", two_files, by_copy_file_range),
		WORKS("sendfile-file", two_files, by_sendfile),
		WORKS("fsync", empty_file, by_fsync),
		WORKS("sync_file_range", empty_file, by_sync_file_range),
		WORKS("readahead", full_file, by_readahead),
		WORKS("fallocate-tmpfs", file_in_memory, by_fallocate),
		WORKS("posix_fallocate", file_in_memory, by_posix_fallocate),
		WORKS("mmap-populate", NULL, by_mmap),
		WORKS("madvise-populate", new_memory, by_madvise),
		WORKS("process_vm_readv", two_memories, by_process_vm_readv),
		WORKS("fork-1GiB", large_memory, by_fork),
		{0},
	};

	return make_one_of(rows, argc, argv);
}
