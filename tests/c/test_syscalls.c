/* SPDX-License-Identifier: GPL-2.0-or-later
 * The table agrees with the numbers that this machine's headers give, and with itself. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

#include "check.h"
#include "ptmon_api.h"
#include "syscalls/syscalls.h"

#define SAME(call)                                                                        \
	do {                                                                              \
		const struct syscall_entry *entry = syscall_find(ABI_NATIVE, SYS_##call); \
		CHECK(entry && strcmp(entry->name, #call) == 0);                          \
		CHECK(strcmp(pt_syscall_name(syscall_index(entry)), #call) == 0);         \
	} while (0)

static void check_numbers(void)
{
	SAME(sendto);
	SAME(recvfrom);
	SAME(sendmsg);
	SAME(recvmsg);
	SAME(sendmmsg);
	SAME(recvmmsg);
	SAME(read);
	SAME(readv);
	SAME(preadv2);
	SAME(write);
	SAME(writev);
	SAME(pwritev2);
	SAME(sendfile);
	SAME(splice);
	SAME(close);
	SAME(dup3);
	SAME(close_range);
	SAME(connect);
	SAME(unshare);
	SAME(clone);
	SAME(clone3);
	SAME(execve);
	SAME(execveat);
	SAME(seccomp);
	SAME(prctl);
	SAME(ptrace);
	SAME(io_uring_setup);
	SAME(io_submit);
}

int main(void)
{
	unsigned int count;
	const struct syscall_entry *table = syscall_table(&count);

	check_numbers();
	for (unsigned int i = 0; i < count; i++)
		for (unsigned int j = i + 1; j < count; j++)
			for (int abi = 0; abi < ABI_COUNT; abi++)
				CHECK(table[i].number[abi] < 0 || table[i].number[abi] != table[j].number[abi]);
	CHECK(syscall_find(ABI_NATIVE, SYS_getppid) == NULL);
	CHECK(syscall_find(ABI_COUNT, SYS_read) == NULL);
	CHECK(strcmp(syscall_find(ABI_I386, 102)->name, "socketcall") == 0);
	CHECK(strcmp(syscall_named("send")->name, "send") == 0);
	CHECK(syscall_named("sen") == NULL);
	CHECK(pt_syscall_name(count) == NULL);
	return 0;
}
