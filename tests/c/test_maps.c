/* SPDX-License-Identifier: GPL-2.0-or-later
 * Is anything mapped in a range? The kernel says it, and where it does not, the text of /proc/PID/maps. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"
#include "fast/image/maps.h"

#define PAGE 4096u
#define PAGES 8

/* PROCMAP_QUERY fails as on a Linux before 6.11. */
static void forbid_query(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xffff),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'f' << 8 | 17, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOTTY),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

/* One page is left of the middle of a range that was free. */
static void check_range(uint64_t begin)
{
	const uint64_t page = begin + PAGES / 2 * PAGE;

	CHECK(mapped_within(getpid(), page, page + PAGE));
	CHECK(mapped_within(getpid(), begin, begin + PAGES * PAGE));
	CHECK(mapped_within(getpid(), page + PAGE - 1, begin + PAGES * PAGE));
	CHECK(!mapped_within(getpid(), begin, page));
	CHECK(!mapped_within(getpid(), page + PAGE, begin + PAGES * PAGE));
	CHECK(!mapped_within(getpid(), UINT64_MAX - PAGE, UINT64_MAX));
	/* Of whom nothing can be read. */
	CHECK(mapped_within(-1, begin, page));
}

int main(void)
{
	uint8_t *range = mmap(NULL, PAGES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *page = range + PAGES / 2 * PAGE;

	CHECK(range != MAP_FAILED);
	CHECK(munmap(range, (size_t)(page - range)) == 0);
	CHECK(munmap(page + PAGE, (size_t)(range + PAGES * PAGE - page - PAGE)) == 0);
	check_range((uint64_t)(uintptr_t)range);
	forbid_query();
	check_range((uint64_t)(uintptr_t)range);
	return 0;
}
