/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the filter says of a call: run here by a small interpreter of the instructions that it uses. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls/filter.h"
#include "calls/watch.h"
#include "check.h"
#include "fast/image/layout.h"
#include "syscalls/syscalls.h"

static struct sock_filter program[FILTER_MOST];
static unsigned int length;

static int compare(uint16_t code, uint32_t a, uint32_t k)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return a == k;
	case BPF_JGE:
		return a >= k;
	case BPF_JGT:
		return a > k;
	case BPF_JSET:
		return (a & k) != 0;
	default:
		CHECK(!"an instruction that the interpreter knows");
		return 0;
	}
}

static uint32_t run(const struct seccomp_data *data)
{
	uint32_t a = 0, x = 0;

	for (unsigned int at = 0;; at++) {
		const struct sock_filter *f = &program[at];

		CHECK(at < length);
		switch (BPF_CLASS(f->code)) {
		case BPF_LD:
			memcpy(&a, (const char *)data + f->k, sizeof(a));
			break;
		case BPF_JMP:
			if (BPF_OP(f->code) == BPF_JA)
				at += f->k;
			else
				at += compare(f->code, a, f->k) ? f->jt : f->jf;
			break;
		case BPF_MISC:
			CHECK(BPF_MISCOP(f->code) == BPF_TAX);
			x = a;
			break;
		case BPF_ALU:
			CHECK(f->code == (BPF_ALU | BPF_ADD | BPF_X));
			a += x;
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

/* A tracer that only filter_build() looks at; what hangs on it is freed by watch_destroy(). */
static struct pt_tracer tracer;

static void begin(bool no_io_uring)
{
	watch_destroy(&tracer);
	memset(&tracer, 0, sizeof(tracer));
	tracer.options.no_io_uring = no_io_uring;
#if defined(__x86_64__)
	tracer.fast = &fast_path;
#endif
}

static void build_part(enum filter_part part)
{
	length = filter_build(program, &tracer, part);
	CHECK(length > 0 && length <= FILTER_MOST);
}

static void build(void)
{
	build_part(FILTER_WHOLE);
}

static void watch(uint64_t number, int compat)
{
	const struct pt_watch it = {.number = number, .compat = compat, .emit = 1};

	CHECK(pt_watch(&tracer, &it) == 0);
}

static void deny(uint64_t number, int compat, int error, int told)
{
	const struct pt_rule rule = {.number = number, .compat = compat, .error = error, .emit = told};

	CHECK(pt_deny(&tracer, &rule) == 0);
}

static void check_counting(void)
{
	begin(false);
	build();
	check_table(NATIVE, ABI_NATIVE);
	CHECK(verdict(NATIVE, SYS_getppid, 0) == SECCOMP_RET_ALLOW);
	CHECK(verdict(NATIVE, SYS_clone, CLONE_VM | CLONE_THREAD) == SECCOMP_RET_ALLOW);
	CHECK(verdict(NATIVE, SYS_clone, CLONE_VM | CLONE_UNTRACED) == TRACE);
	CHECK(verdict(NATIVE, SYS_clone3, 0) == TRACE);
	CHECK(verdict(NATIVE, SYS_prctl, PR_SET_NAME) == SECCOMP_RET_ALLOW);
	CHECK(verdict(NATIVE, SYS_prctl, PR_SET_SECCOMP) == TRACE);
	CHECK(verdict(NATIVE, SYS_prctl, PR_SET_DUMPABLE) == TRACE);
	CHECK(verdict(NATIVE, SYS_prctl, PR_SET_TSC) == TRACE);
	CHECK(verdict(NATIVE, SYS_prctl, PR_GET_TSC) == SECCOMP_RET_ALLOW);
	CHECK(verdict(NATIVE, SYS_unshare, CLONE_NEWNS) == SECCOMP_RET_ALLOW);
	CHECK(verdict(NATIVE, SYS_unshare, CLONE_FILES) == TRACE);
	CHECK(verdict(NATIVE, SYS_io_uring_setup, 0) == TRACE);
	CHECK(verdict(AUDIT_ARCH_S390X, SYS_sendto, 0) == SECCOMP_RET_ALLOW);
#if defined(__x86_64__)
	check_table(AUDIT_ARCH_I386, ABI_I386);
	CHECK(verdict(AUDIT_ARCH_I386, 64, 0) == SECCOMP_RET_ALLOW);
	CHECK(verdict(NATIVE, (int)(X32_SYSCALL_BIT | 1), 0) == TRACE);
#endif
	begin(true);
	build();
	CHECK(verdict(NATIVE, SYS_io_uring_setup, 0) == (SECCOMP_RET_ERRNO | ENOSYS));
}

static void check_watched(void)
{
	begin(true);
	watch(SYS_getppid, 0);
	watch(SYS_clone, 0);
	watch(SYS_prctl, 0);
	watch(SYS_unshare, 0);
	watch(SYS_io_uring_setup, 0);
	build();
	CHECK(verdict(NATIVE, SYS_getppid, 0) == TRACE);
	CHECK(verdict(NATIVE, SYS_getpid, 0) == SECCOMP_RET_ALLOW);
	/* Whatever their argument. */
	CHECK(verdict(NATIVE, SYS_clone, CLONE_VM | CLONE_THREAD) == TRACE);
	CHECK(verdict(NATIVE, SYS_prctl, PR_SET_NAME) == TRACE);
	CHECK(verdict(NATIVE, SYS_unshare, CLONE_NEWNS) == TRACE);
	CHECK(verdict(NATIVE, SYS_io_uring_setup, 0) == TRACE);
	check_table(NATIVE, ABI_NATIVE);
#if defined(__x86_64__)
	CHECK(verdict(AUDIT_ARCH_I386, 64, 0) == SECCOMP_RET_ALLOW);
	watch(64, 1); /* getppid */
	build();
	CHECK(verdict(AUDIT_ARCH_I386, 64, 0) == TRACE);
	CHECK(verdict(NATIVE, 64, 0) == SECCOMP_RET_ALLOW); /* semget */
#endif
}

static void check_refused(void)
{
	const struct pt_rule conditional = {
		.number = SYS_socket, .condition = PT_IF_VALUE, .value = 16, .error = EACCES};

	begin(false);
	deny(SYS_getppid, 0, EPERM, 0);
	deny(SYS_getpid, 0, EPERM, 1);
	deny(SYS_execve, 0, EACCES, 0);
	deny(SYS_execveat, 0, EACCES, 0);
	deny(SYS_ptrace, 0, EPERM, 0);
	deny(SYS_close, 0, EIO, 0);
	watch(SYS_close, 0);
	CHECK(pt_deny(&tracer, &conditional) == 0);
	deny(SYS_socket, 0, EPERM, 0); /* the first that matches decides, so the other one has to be looked at */
	build();
	CHECK(verdict(NATIVE, SYS_getppid, 0) == (SECCOMP_RET_ERRNO | EPERM));
	CHECK(verdict(NATIVE, SYS_ptrace, 0) == (SECCOMP_RET_ERRNO | EPERM));
	CHECK(verdict(NATIVE, SYS_getpid, 0) == TRACE); /* to be told */
	CHECK(verdict(NATIVE, SYS_close, 0) == TRACE);	/* to be told of */
	CHECK(verdict(NATIVE, SYS_socket, 0) == TRACE);
	/* ptmon itself is still to make one. */
	CHECK(verdict(NATIVE, SYS_execve, 0) == TRACE);
	CHECK(verdict(NATIVE, SYS_execveat, 0) == TRACE);
#if defined(__x86_64__)
	deny(359, 1, EACCES, 0); /* socket */
	build();
	CHECK(verdict(AUDIT_ARCH_I386, 359, 0) == (SECCOMP_RET_ERRNO | EACCES));
	CHECK(verdict(AUDIT_ARCH_I386, 102, 0) == TRACE); /* socketcall, which may stand for it */
#endif
}

static void check_large(void)
{
	begin(false);
	for (uint64_t number = 0; number < 450; number++) {
		watch(number, 0);
		watch(number, 1);
	}
	build();
	for (int number = 0; number < 450; number++)
		CHECK(verdict(NATIVE, number, 0) == TRACE);
	CHECK(verdict(NATIVE, 450, 0) == SECCOMP_RET_ALLOW);
#if defined(__x86_64__)
	for (int number = 0; number < 450; number++)
		CHECK(verdict(AUDIT_ARCH_I386, number, 0) == TRACE);
	CHECK(verdict(AUDIT_ARCH_I386, 450, 0) == SECCOMP_RET_ALLOW);
	/* More than a filter can hold. */
	for (uint64_t number = 0; number < CALL_NUMBERS; number++) {
		watch(number, 0);
		watch(number, 1);
	}
	CHECK(filter_build(program, &tracer, FILTER_WHOLE) == 0);
#endif
}

/* The kernel takes the large program, too. */
static void check_installed(void)
{
	int status;
	pid_t pid;

	begin(false);
	for (uint64_t number = 300; number < CALL_NUMBERS; number++)
		watch(number, 0);
	deny(SYS_getppid, 0, ENOTTY, 0);
	build();
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		if (filter_install(program, length) < 0)
			_exit(2);
		_exit(syscall(SYS_getppid) == -1 && errno == ENOTTY && getpid() > 0 ? 0 : 1);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

/* A process without sockets stops at what may bring one, and at nothing that only matters where there is one. */
static void check_dry(void)
{
	static const int dry[] = {SYS_read, SYS_write,	     SYS_sendto, SYS_recvmsg, SYS_close,
				  SYS_dup3, SYS_close_range, SYS_execve, SYS_connect};
	static const int sources[] = {SYS_socket, SYS_socketpair, SYS_io_uring_setup, SYS_pidfd_getfd,
				      SYS_clone3, SYS_seccomp,	  SYS_setresuid};

	begin(false);
	build_part(FILTER_FIRST);
	for (unsigned int i = 0; i < sizeof(dry) / sizeof(dry[0]); i++)
		CHECK(verdict(NATIVE, dry[i], 0) == SECCOMP_RET_ALLOW);
	for (unsigned int i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		CHECK(verdict(NATIVE, sources[i], 0) == TRACE);
	CHECK(verdict(NATIVE, SYS_clone, CLONE_VM | CLONE_FILES) == TRACE);
	CHECK(verdict(NATIVE, SYS_clone, CLONE_VM | CLONE_FILES | CLONE_THREAD) == SECCOMP_RET_ALLOW);
	CHECK(verdict(NATIVE, SYS_clone, CLONE_VM | CLONE_FILES | CLONE_THREAD | CLONE_UNTRACED) == TRACE);
	CHECK(verdict(NATIVE, SYS_unshare, CLONE_FILES) == TRACE);
	build_part(FILTER_SECOND);
	for (unsigned int i = 0; i < sizeof(dry) / sizeof(dry[0]); i++)
		CHECK(verdict(NATIVE, dry[i], 0) == TRACE);
	for (unsigned int i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		CHECK(verdict(NATIVE, sources[i], 0) == SECCOMP_RET_ALLOW);
	check_table(NATIVE, ABI_NATIVE);
	build();
	CHECK(verdict(NATIVE, SYS_socket, 0) == SECCOMP_RET_ALLOW);
	CHECK(verdict(NATIVE, SYS_setresuid, 0) == SECCOMP_RET_ALLOW);
#if defined(__x86_64__)
	build_part(FILTER_SECOND);
	check_table(AUDIT_ARCH_I386, ABI_I386);
	build_part(FILTER_FIRST);
	CHECK(verdict(AUDIT_ARCH_I386, 3, 0) == SECCOMP_RET_ALLOW); /* read */
	CHECK(verdict(AUDIT_ARCH_I386, 102, 0) == TRACE);	    /* socketcall */
	CHECK(verdict(AUDIT_ARCH_I386, 359, 0) == TRACE);	    /* socket */
	CHECK(verdict(NATIVE, (int)(X32_SYSCALL_BIT | 1), 0) == TRACE);
#endif
}

static uint32_t verdict_of_second_argument(int number, uint64_t a, uint64_t b, uint64_t c)
{
	const struct seccomp_data data = {.nr = number, .arch = NATIVE, .args = {a, b, c}};

	return run(&data);
}

/* Of a call that is seldom of interest the arguments say when. What users watch stops everywhere. */
static void check_dry_arguments(void)
{
	const uint64_t unshares = 1 << 1, binder_write_read = 0xc0306201;

	begin(false);
	build_part(FILTER_FIRST);
	CHECK(verdict_of_second_argument(SYS_close_range, 3, 9, unshares) == TRACE);
	CHECK(verdict_of_second_argument(SYS_ioctl, 3, 0x5401, 0) == SECCOMP_RET_ALLOW); /* TCGETS */
	CHECK(verdict_of_second_argument(SYS_ioctl, 3, binder_write_read, 0) == TRACE);
	watch(SYS_read, 0);
	deny(SYS_close, 0, EIO, 0);
	build_part(FILTER_FIRST);
	CHECK(verdict(NATIVE, SYS_read, 0) == TRACE);
	CHECK(verdict(NATIVE, SYS_close, 0) == (SECCOMP_RET_ERRNO | EIO));
	CHECK(verdict(NATIVE, SYS_write, 0) == SECCOMP_RET_ALLOW);
}

static void check_limits(void)
{
	struct pt_watch far = {.number = CALL_NUMBERS, .emit = 1};

	begin(false);
	CHECK(pt_watch(&tracer, &far) == -EINVAL);
	far.number = UINT64_MAX;
	CHECK(pt_watch(&tracer, &far) == -EINVAL);
}

#if defined(__x86_64__)
static uint32_t verdict_at(uint32_t arch, int number, uint64_t instruction)
{
	const struct seccomp_data data = {.nr = number, .arch = arch, .instruction_pointer = instruction};

	return run(&data);
}

static uint32_t verdict_of_protecting(int number, uint64_t protection)
{
	/* Far from where stubs are. */
	const struct seccomp_data data = {.nr = number, .arch = NATIVE, .args = {1ull << 40, 4096, protection}};

	return run(&data);
}

/* Calls that stubs count pass if a stub makes them; all else stops wherever it comes from. */
static void check_stubs(void)
{
	begin(false);
	tracer.options.fast = 50;
	build();
	for (unsigned int i = 0; i < fast_path.call_count; i++) {
		const int number = fast_path.calls[i];

		CHECK(verdict_at(NATIVE, number, FAST_STUBS) == SECCOMP_RET_ALLOW);
		CHECK(verdict_at(NATIVE, number, FAST_STUBS_END - 1) == SECCOMP_RET_ALLOW);
		CHECK(verdict_at(NATIVE, number, FAST_STUBS - 1) == TRACE);
		CHECK(verdict_at(NATIVE, number, FAST_STUBS_END) == TRACE);
		CHECK(verdict_at(NATIVE, number, FAST_STUBS | 1ull << 32) == TRACE);
	}
	build_part(FILTER_SECOND);
	for (unsigned int i = 0; i < fast_path.call_count; i++) {
		CHECK(verdict_at(NATIVE, fast_path.calls[i], FAST_STUBS) == SECCOMP_RET_ALLOW);
		CHECK(verdict_at(NATIVE, fast_path.calls[i], FAST_STUBS_END) == TRACE);
	}
	build_part(FILTER_FIRST);
	CHECK(verdict_at(NATIVE, SYS_socket, FAST_STUBS) == SECCOMP_RET_ALLOW);
	CHECK(verdict_at(NATIVE, SYS_socket, FAST_STUBS - 1) == TRACE);
	CHECK(verdict_at(NATIVE, SYS_socketpair, FAST_STUBS) == SECCOMP_RET_ALLOW);
	CHECK(verdict_at(NATIVE, SYS_socketpair, FAST_STUBS_END) == TRACE);
	CHECK(verdict_at(NATIVE, SYS_pidfd_getfd, FAST_STUBS) == TRACE);
	build();
	CHECK(verdict_at(NATIVE, SYS_connect, FAST_STUBS) == SECCOMP_RET_ALLOW);
	CHECK(verdict_at(NATIVE, SYS_connect, FAST_STUBS_END) == TRACE);
	CHECK(verdict_at(NATIVE, SYS_socket, FAST_STUBS_END) == SECCOMP_RET_ALLOW);
	CHECK(verdict_at(NATIVE, SYS_clone3, FAST_STUBS) == TRACE);
	CHECK(verdict_at(NATIVE, SYS_getppid, FAST_STUBS_END) == SECCOMP_RET_ALLOW);
	CHECK(verdict_at(AUDIT_ARCH_I386, 369 /* sendto */, FAST_STUBS) == TRACE);
	CHECK(verdict_of_protecting(SYS_mprotect, PROT_READ | PROT_WRITE | PROT_EXEC) == TRACE);
	CHECK(verdict_of_protecting(SYS_pkey_mprotect, PROT_WRITE | PROT_EXEC) == TRACE);
	CHECK(verdict_of_protecting(SYS_mprotect, PROT_READ | PROT_EXEC) == SECCOMP_RET_ALLOW);
	CHECK(verdict_of_protecting(SYS_mprotect, PROT_READ | PROT_WRITE) == SECCOMP_RET_ALLOW);
	CHECK(verdict_of_protecting(SYS_mmap, PROT_WRITE | PROT_EXEC) == SECCOMP_RET_ALLOW);
	begin(false);
	tracer.options.fast = 50;
	watch(SYS_sendto, 0);
	build();
	CHECK(verdict_at(NATIVE, SYS_sendto, FAST_STUBS) == TRACE);
	CHECK(verdict_at(NATIVE, SYS_recvfrom, FAST_STUBS) == SECCOMP_RET_ALLOW);
	watch(SYS_connect, 0);
	watch(SYS_socket, 0);
	build();
	CHECK(verdict_at(NATIVE, SYS_connect, FAST_STUBS) == TRACE);
	CHECK(verdict_at(NATIVE, SYS_socket, FAST_STUBS) == TRACE);
}

static uint32_t verdict_of(uint32_t arch, int number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	const struct seccomp_data data = {.nr = number, .arch = arch, .args = {a, b, c, d, e}};

	return run(&data);
}

#define ASK(number, a, b) verdict_of(NATIVE, number, a, b, 0, 0, 0)
#define FAR 0x7f0000000000u
#define FIXED (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)

static void check_ranges(void)
{
	static const int numbers[] = {SYS_munmap, SYS_mprotect, SYS_madvise, SYS_mincore, SYS_mlock};

	for (unsigned int i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		CHECK(ASK(numbers[i], FAST_DATA, 1) == TRACE);
		CHECK(ASK(numbers[i], FAST_END - 4096, 4096) == TRACE);
		CHECK(ASK(numbers[i], 0x10000, FAST_DATA) == TRACE);
		CHECK(ASK(numbers[i], 0x10000, FAR) == TRACE);
		CHECK(ASK(numbers[i], 0x10000, 0xffffffff) == TRACE);
		CHECK(ASK(numbers[i], FAST_END, 4096) == SECCOMP_RET_ALLOW);
		CHECK(ASK(numbers[i], 0x400000, 0x200000) == SECCOMP_RET_ALLOW);
		CHECK(ASK(numbers[i], FAR + FAST_DATA, 1) == SECCOMP_RET_ALLOW);
	}
}

static void check_maps(void)
{
	CHECK(verdict_of(NATIVE, SYS_mmap, FAST_CODE, 4096, 3, FIXED, 0) == TRACE);
	CHECK(verdict_of(NATIVE, SYS_mmap, FAST_CODE, 4096, 3, MAP_PRIVATE, 0) == TRACE);
	CHECK(verdict_of(NATIVE, SYS_mmap, 0, FAST_END, 3, FIXED, 0) == TRACE);
	CHECK(verdict_of(NATIVE, SYS_mmap, 0, 4096, 3, MAP_PRIVATE | 0x40, 0) == TRACE);
	CHECK(verdict_of(NATIVE, SYS_mmap, FAR, 4096, 3, MAP_PRIVATE | MAP_GROWSDOWN, 0) == TRACE);
	CHECK(verdict_of(NATIVE, SYS_mmap, 0, 4096, 3, MAP_PRIVATE, 0) == SECCOMP_RET_ALLOW);
	CHECK(verdict_of(NATIVE, SYS_mmap, FAR, FAR, 3, FIXED, 0) == SECCOMP_RET_ALLOW);
	CHECK(verdict_of(NATIVE, SYS_mmap, FAST_END, FAR, 3, FIXED, 0) == SECCOMP_RET_ALLOW);
	CHECK(verdict_of(NATIVE, SYS_mremap, FAR, 4096, 4096, 3, FAST_CODE) == TRACE);
	CHECK(verdict_of(NATIVE, SYS_mremap, FAST_CODE, 4096, 4096, 1, 0) == TRACE);
	CHECK(verdict_of(NATIVE, SYS_mremap, FAR, 4096, 4096, 1, FAST_CODE) == SECCOMP_RET_ALLOW);
	CHECK(verdict_of(NATIVE, SYS_mremap, FAR, 4096, 4096, 3, FAR) == SECCOMP_RET_ALLOW);
	CHECK(verdict_of(NATIVE, SYS_mremap, FAST_END, 4096, 4096, 3, FAST_END) == SECCOMP_RET_ALLOW);
}

/* What could touch the memory of the fast path stops, and what many programs do all the time does not. */
static void check_touching(void)
{
	begin(false);
	tracer.options.fast = 50;
	build();
	check_ranges();
	check_maps();
	CHECK(ASK(SYS_brk, FAST_DATA + 1, 0) == TRACE);
	CHECK(ASK(SYS_brk, 0xf0000000, 0) == TRACE);
	CHECK(ASK(SYS_brk, FAR, 0) == SECCOMP_RET_ALLOW);
	CHECK(ASK(SYS_brk, 0x2000000, 0) == SECCOMP_RET_ALLOW);
	CHECK(ASK(SYS_shmat, 0, FAST_CODE) == TRACE);
	CHECK(ASK(SYS_shmat, 0, 0) == SECCOMP_RET_ALLOW);
	CHECK(ASK(SYS_arch_prctl, 0x2003, FAST_CODE) == TRACE);
	CHECK(ASK(SYS_arch_prctl, 0x1002, FAST_CODE) == SECCOMP_RET_ALLOW); /* ARCH_SET_FS */
	CHECK(ASK(SYS_setrlimit, RLIMIT_AS, 1) == TRACE);
	CHECK(ASK(SYS_setrlimit, RLIMIT_NOFILE, 1) == SECCOMP_RET_ALLOW);
	CHECK(ASK(SYS_prlimit64, 0, RLIMIT_DATA) == TRACE);
	CHECK(ASK(SYS_prlimit64, 0, RLIMIT_STACK) == SECCOMP_RET_ALLOW);
	CHECK(ASK(SYS_mlockall, 0, 0) == TRACE);
	CHECK(verdict(AUDIT_ARCH_I386, 192, 0) == TRACE); /* mmap2: the kernel may choose that address */
	CHECK(verdict_of(AUDIT_ARCH_I386, 91, FAST_CODE, 4096, 0, 0, 0) == TRACE);
	CHECK(verdict_of(AUDIT_ARCH_I386, 91, 0xf7000000, 4096, 0, 0, 0) == SECCOMP_RET_ALLOW);
	begin(false);
	build();
	CHECK(verdict_of(NATIVE, SYS_mmap, FAST_CODE, 4096, 3, FIXED, 0) == SECCOMP_RET_ALLOW);
}
#endif

int main(void)
{
	check_counting();
#if defined(__x86_64__)
	check_stubs();
	check_touching();
#endif
	check_watched();
	check_refused();
	check_large();
	check_installed();
	check_dry();
	check_dry_arguments();
	check_limits();
	begin(false);
	return 0;
}
