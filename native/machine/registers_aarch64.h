/* SPDX-License-Identifier: GPL-2.0-or-later
 * Registers of aarch64: see registers.h. x0 is both the first argument and the return value. */
#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/ucontext.h>
#include <sys/uio.h>
#include <sys/user.h>

struct registers {
	struct user_regs_struct user; /* of a 32-bit tracee: its registers where they would be in 64-bit code */
	uint32_t original;	      /* argument 0 of its call */
	bool compat;
};

/* What the kernel gives of a 32-bit tracee: COMPAT_ELF_NGREG of arch/arm64/include/asm/elf.h. */
struct registers_compat {
	uint32_t general[15];
	uint32_t instruction;
	uint32_t state;
	uint32_t original;
};

#ifndef NT_ARM_SYSTEM_CALL
#define NT_ARM_SYSTEM_CALL 0x404
#endif
#define CONTEXT_RESULT offsetof(ucontext_t, uc_mcontext.regs[0])
#define SIGINFO_SIZE 128 /* struct rt_sigframe of arch/arm64/kernel/signal.c: siginfo, then ucontext */

#define REGISTERS_CALL_LENGTH 4 /* svc */

static inline int registers_read(pid_t tid, struct registers *regs)
{
	struct registers_compat compat;
	struct iovec vector = {.iov_base = &regs->user, .iov_len = sizeof(regs->user)};

	if (ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &vector) < 0)
		return -errno;
	regs->compat = vector.iov_len == sizeof(compat);
	if (!regs->compat)
		return 0;
	memcpy(&compat, &regs->user, sizeof(compat));
	*regs = (struct registers){.compat = true, .original = compat.original};
	for (int i = 0; i < 15; i++)
		regs->user.regs[i] = compat.general[i];
	regs->user.sp = compat.general[13];
	regs->user.pc = compat.instruction;
	regs->user.pstate = compat.state;
	return 0;
}

static inline int registers_write_compat(pid_t tid, const struct registers *regs)
{
	struct registers_compat compat = {
		.instruction = (uint32_t)regs->user.pc,
		.state = (uint32_t)regs->user.pstate,
		.original = regs->original,
	};
	struct iovec vector = {.iov_base = &compat, .iov_len = sizeof(compat)};

	for (int i = 0; i < 15; i++)
		compat.general[i] = (uint32_t)regs->user.regs[i];
	return ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &vector) < 0 ? -errno : 0;
}

static inline int registers_write(pid_t tid, const struct registers *regs)
{
	struct iovec vector = {.iov_base = (void *)&regs->user, .iov_len = sizeof(regs->user)};

	if (regs->compat)
		return registers_write_compat(tid, regs);
	return ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &vector) < 0 ? -errno : 0;
}

static inline uint64_t registers_number(const struct registers *regs)
{
	return regs->user.regs[regs->compat ? 7 : 8];
}

static inline uint64_t registers_argument(const struct registers *regs, unsigned int i, bool compat)
{
	(void)compat;
	return regs->user.regs[i];
}

static inline int64_t registers_result(const struct registers *regs)
{
	return (int64_t)regs->user.regs[0];
}

static inline void registers_set_argument(struct registers *regs, uint64_t value, bool compat)
{
	(void)compat;
	regs->user.regs[0] = value;
}

static inline void registers_set_arguments(struct registers *regs, const uint64_t values[6], bool compat)
{
	(void)compat;
	for (unsigned int i = 0; i < 6; i++)
		regs->user.regs[i] = values[i];
}

static inline void registers_set_result(struct registers *regs, int64_t value)
{
	regs->user.regs[0] = (uint64_t)value;
}

static inline int registers_set_number(pid_t tid, struct registers *regs, int64_t number)
{
	int value = (int)number;
	struct iovec vector = {.iov_base = &value, .iov_len = sizeof(value)};

	/* x8 is what userspace asked for; what the kernel will do is in a register set of its own. */
	if (ptrace(PTRACE_SETREGSET, tid, NT_ARM_SYSTEM_CALL, &vector) < 0)
		return -errno;
	return registers_write(tid, regs);
}

static inline bool registers_compat(const struct registers *regs)
{
	return regs->compat;
}

/* 32-bit ARM has other numbers. A process gets there, and back, by execve alone. */
static inline bool registers_undecoded(pid_t tid)
{
	struct registers regs;

	return registers_read(tid, &regs) == 0 && regs.compat;
}

static inline uint64_t registers_stack(const struct registers *regs)
{
	return regs->user.sp;
}

static inline void registers_set_stack(struct registers *regs, uint64_t pointer)
{
	regs->user.sp = pointer;
}

/* Of use to x86_64's breakpoints alone. */
static inline void registers_compare(struct registers *regs, int32_t operand)
{
	(void)regs, (void)operand;
}

static inline void registers_negate(struct registers *regs)
{
	(void)regs;
}

static inline void registers_move(struct registers *regs, unsigned int to, unsigned int from, bool wide)
{
	(void)regs, (void)to, (void)from, (void)wide;
}

/* syscall_rollback() of arch/arm64/include/asm/syscall.h */
static inline uint64_t registers_rolled_back(uint64_t number, const uint64_t args[6])
{
	(void)number;
	return args[0];
}

/* do_signal() of arch/arm64/kernel/signal.c has a call made again before it looks whether the thread is to die: x0 is
 * argument 0 then, and pc the svc's own address. A call that was not made leaves argument 0 there, too, but pc behind
 * the svc: one that has returned just that looks the same. */
static inline int64_t registers_moved(const struct registers *regs, uint64_t argument, uint64_t instruction)
{
	if (regs->user.pc != instruction)
		return 0;
	return regs->user.regs[0] == argument ? REGISTERS_UNKNOWN : (int64_t)regs->user.regs[0];
}

/* The call that the tracee has made is made again when it runs on: its number is still in x8, but argument 0 has to be
 * set anew. */
static inline void registers_restart(struct registers *regs, int64_t number)
{
	(void)number;
	regs->user.pc -= 4;
}

static inline uint64_t registers_instruction(const struct registers *regs)
{
	return regs->user.pc;
}

static inline void registers_set_instruction(struct registers *regs, uint64_t address)
{
	regs->user.pc = address;
}

/* There are no stubs here, so nobody asks. */
static inline uint64_t registers_peek_instruction(pid_t tid)
{
	(void)tid;
	return 0;
}

static inline uint64_t registers_context(const struct registers *regs)
{
	return regs->compat ? 0 : regs->user.sp + SIGINFO_SIZE;
}
