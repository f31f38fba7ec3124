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
#define PLACE 0x200000000000ul /* where nobody else maps anything */

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

/* One page is mapped, in the middle of a range that is free. */
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
	CHECK(mmap((void *)(PLACE + PAGES / 2 * PAGE), PAGE, PROT_NONE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != MAP_FAILED);
	check_range(PLACE);
	forbid_query();
	check_range(PLACE);
	return 0;
}
