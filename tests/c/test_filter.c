/* SPDX-License-Identifier: GPL-2.0-only
 * What the filter says of a call: run here by a small interpreter of the instructions that it uses. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "check.h"
#include "filter.h"
#include "syscalls.h"

static struct sock_filter program[FILTER_MOST];
static unsigned int length;

static int compare(uint16_t code, uint32_t a, uint32_t k)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return a == k;
	case BPF_JGE:
		return a >= k;
	case BPF_JSET:
		return (a & k) != 0;
	default:
		CHECK(!"an instruction that the interpreter knows");
		return 0;
	}
}

static uint32_t run(const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (unsigned int at = 0;; at++) {
		const struct sock_filter *f = &program[at];

		CHECK(at < length);
		switch (BPF_CLASS(f->code)) {
		case BPF_LD:
			memcpy(&a, (const char *)data + f->k, sizeof(a));
			break;
		case BPF_JMP:
			at += compare(f->code, a, f->k) ? f->jt : f->jf;
			break;
		case BPF_RET:
			return f->k;
		default:
			CHECK(!"an instruction that the interpreter knows");
		}
	}
}

static uint32_t verdict(uint32_t arch, int number, uint64_t argument)
{
	const struct seccomp_data data = {.nr = number, .arch = arch, .args = {argument}};

	return run(&data);
}

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#else
#define NATIVE AUDIT_ARCH_AARCH64
#endif
#define TRACE (SECCOMP_RET_TRACE | FILTER_COOKIE)

static void check_table(uint32_t arch, enum abi abi)
{
	unsigned int count;
	const struct syscall_entry *table = syscall_table(&count);

	for (unsigned int i = 0; i < count; i++)
		if (table[i].number[abi] >= 0 && syscall_transfers(&table[i]))
			CHECK(verdict(arch, table[i].number[abi], 0) == TRACE);
}

int main(void)
{
	length = filter_build(program, false);
	CHECK(length < FILTER_MOST);
	check_table(NATIVE, ABI_NATIVE);
	CHECK(verdict(NATIVE, SYS_getppid, 0) == SECCOMP_RET_ALLOW);
	CHECK(verdict(NATIVE, SYS_clone, CLONE_VM | CLONE_THREAD) == SECCOMP_RET_ALLOW);
	CHECK(verdict(NATIVE, SYS_clone, CLONE_VM | CLONE_UNTRACED) == TRACE);
	CHECK(verdict(NATIVE, SYS_clone3, 0) == TRACE);
	CHECK(verdict(NATIVE, SYS_prctl, PR_SET_NAME) == SECCOMP_RET_ALLOW);
	CHECK(verdict(NATIVE, SYS_prctl, PR_SET_SECCOMP) == TRACE);
	CHECK(verdict(NATIVE, SYS_unshare, CLONE_NEWNS) == SECCOMP_RET_ALLOW);
	CHECK(verdict(NATIVE, SYS_unshare, CLONE_FILES) == TRACE);
	CHECK(verdict(NATIVE, SYS_io_uring_setup, 0) == TRACE);
	CHECK(verdict(AUDIT_ARCH_S390X, SYS_sendto, 0) == SECCOMP_RET_ALLOW);
#if defined(__x86_64__)
	check_table(AUDIT_ARCH_I386, ABI_I386);
	CHECK(verdict(AUDIT_ARCH_I386, 64, 0) == SECCOMP_RET_ALLOW);
	CHECK(verdict(NATIVE, (int)(X32_SYSCALL_BIT | 1), 0) == TRACE);
#endif
	length = filter_build(program, true);
	CHECK(verdict(NATIVE, SYS_io_uring_setup, 0) == (SECCOMP_RET_ERRNO | ENOSYS));
	return 0;
}
