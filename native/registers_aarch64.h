/* SPDX-License-Identifier: GPL-2.0-only
 * Registers of aarch64: see registers.h. x0 is both the first argument and the return value. */
#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/ucontext.h>
#include <sys/uio.h>
#include <sys/user.h>

struct registers {
	struct user_regs_struct user;
};

#ifndef NT_ARM_SYSTEM_CALL
#define NT_ARM_SYSTEM_CALL 0x404
#endif
#define CONTEXT_RESULT offsetof(ucontext_t, uc_mcontext.regs[0])
#define SIGINFO_SIZE 128 /* struct rt_sigframe of arch/arm64/kernel/signal.c: siginfo, then ucontext */

static inline int registers_read(pid_t tid, struct registers *regs)
{
	struct iovec vector = {.iov_base = &regs->user, .iov_len = sizeof(regs->user)};

	return ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &vector) < 0 ? -errno : 0;
}

static inline int registers_write(pid_t tid, const struct registers *regs)
{
	struct iovec vector = {.iov_base = (void *)&regs->user, .iov_len = sizeof(regs->user)};

	return ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &vector) < 0 ? -errno : 0;
}

static inline uint64_t registers_number(const struct registers *regs)
{
	return regs->user.regs[8];
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
	(void)regs;
	return false;
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

/* Its number is still in x8. */
static inline void registers_restart(struct registers *regs, int64_t number)
{
	(void)number;
	regs->user.pc -= 4;
}

/* One that is to be made again has its first argument in x0 by now, and pc at its instruction (do_signal() of
 * arch/arm64/kernel/signal.c). The kernel puts no error into x0 before a call is made: one that death came before still
 * has its argument there, too, and can't be told from one that has returned just that number. */
static inline bool registers_ended(const struct registers *regs, uint64_t instruction, uint64_t argument,
				   int64_t *result)
{
	*result = regs->user.pc == instruction ? registers_result(regs) : -EINTR;
	return *result <= 0 || (uint64_t)*result != argument;
}

/* syscall_rollback() of arch/arm64/include/asm/syscall.h */
static inline int64_t registers_trapped(uint64_t number, uint64_t argument)
{
	(void)number;
	return (int64_t)argument;
}

static inline uint64_t registers_instruction(const struct registers *regs)
{
	return regs->user.pc;
}

static inline void registers_set_instruction(struct registers *regs, uint64_t address)
{
	regs->user.pc = address;
}

static inline uint64_t registers_context(const struct registers *regs)
{
	return regs->user.sp + SIGINFO_SIZE;
}
