/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The program: architecture, then number, then (for three calls that are common and seldom of interest) an argument.
 * Arguments are loaded only after the number has matched: the kernel then knows of every other number that it is
 * always allowed, and answers from a bitmap without running the program (kernel/seccomp.c, seccomp_cache_prepare).
 */
#include "filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "syscalls.h"

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define LOAD_ARGUMENT LOAD(args) /* the low half of argument 0: both architectures are little-endian */
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, value)
/* The next `skip` instructions are left out unless the comparison holds. */
#define UNLESS(operation, value, skip) BPF_JUMP(BPF_JMP | BPF_##operation | BPF_K, value, 0, skip)

#define RETURN_TRACE RETURN(SECCOMP_RET_TRACE | FILTER_COOKIE)
#define RETURN_ALLOW RETURN(SECCOMP_RET_ALLOW)

struct writer {
	struct sock_filter *program;
	unsigned int length;
};

static void put(struct writer *w, struct sock_filter instruction)
{
	w->program[w->length++] = instruction;
}

/* The accumulator holds the number. This call stops if argument 0 has one of these bits, or is this value. */
static void put_argument(struct writer *w, uint32_t number, uint16_t comparison, uint32_t value)
{
	put(w, (struct sock_filter)UNLESS(JEQ, number, 4));
	put(w, (struct sock_filter)LOAD_ARGUMENT);
	put(w, (struct sock_filter)BPF_JUMP(BPF_JMP | comparison | BPF_K, value, 0, 1));
	put(w, (struct sock_filter)RETURN_TRACE);
	put(w, (struct sock_filter)RETURN_ALLOW);
}

static void put_call(struct writer *w, const struct syscall_entry *entry, uint32_t number, bool no_io_uring)
{
	switch (entry->rule) {
	case RULE_CLONE:
		put_argument(w, number, BPF_JSET, CLONE_UNTRACED);
		return;
	case RULE_UNSHARE:
		put_argument(w, number, BPF_JSET, CLONE_FILES);
		return;
	case RULE_PRCTL:
		put_argument(w, number, BPF_JEQ, PR_SET_SECCOMP);
		return;
	default:
		put(w, (struct sock_filter)UNLESS(JEQ, number, 1));
		if (entry->rule == RULE_IO_URING && no_io_uring)
			put(w, (struct sock_filter)RETURN(SECCOMP_RET_ERRNO | ENOSYS));
		else
			put(w, (struct sock_filter)RETURN_TRACE);
	}
}

static void put_abi(struct writer *w, enum abi abi, bool no_io_uring)
{
	unsigned int count;
	const struct syscall_entry *table = syscall_table(&count);

	put(w, (struct sock_filter)LOAD(nr));
	for (unsigned int i = 0; i < count; i++)
		if (table[i].number[abi] >= 0)
			put_call(w, &table[i], (uint32_t)table[i].number[abi], no_io_uring);
	if (abi == ABI_X86_64) {
		/* x32 calls are not decoded: the stop serves to say so. */
		put(w, (struct sock_filter)UNLESS(JGE, X32_SYSCALL_BIT, 1));
		put(w, (struct sock_filter)RETURN_TRACE);
	}
	put(w, (struct sock_filter)RETURN_ALLOW);
}

static void put_architecture(struct writer *w, uint32_t architecture, enum abi abi, bool no_io_uring)
{
	unsigned int jump = w->length + 1;

	put(w, (struct sock_filter)LOAD(arch));
	put(w, (struct sock_filter)UNLESS(JEQ, architecture, 0));
	put_abi(w, abi, no_io_uring);
	w->program[jump].jf = (uint8_t)(w->length - jump - 1);
}

unsigned int filter_build(struct sock_filter program[FILTER_MOST], bool no_io_uring)
{
	struct writer w = {.program = program};

#if defined(__x86_64__)
	put_architecture(&w, AUDIT_ARCH_X86_64, ABI_X86_64, no_io_uring);
	put_architecture(&w, AUDIT_ARCH_I386, ABI_I386, no_io_uring);
#else
	put_architecture(&w, AUDIT_ARCH_AARCH64, ABI_AARCH64, no_io_uring);
#endif
	put(&w, (struct sock_filter)RETURN_ALLOW);
	return w.length;
}

int filter_install(const struct sock_filter *program, unsigned int length)
{
	struct sock_fprog fprog = {.len = (unsigned short)length, .filter = (struct sock_filter *)program};

	/* SPEC_ALLOW: without it the kernel turns speculation off for the program, which slows it down. */
	for (int i = 0; i < 2; i++) {
		if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &fprog) == 0)
			return 0;
		/* Without CAP_SYS_ADMIN a filter needs no_new_privs; a tracee could not gain privileges anyhow. */
		if (errno != EACCES || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
			break;
	}
	return -errno;
}
