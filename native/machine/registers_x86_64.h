/* SPDX-License-Identifier: GPL-2.0-or-later
 * Registers of x86_64: see registers.h. PTRACE_GETREGS costs the same as GETREGSET and is one request. */
#include <errno.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/ucontext.h>
#include <sys/user.h>

struct registers {
	struct user_regs_struct user;
};

/* unsigned long long, or unsigned long: as the C library has it. */
typedef __typeof__(((struct registers *)0)->user.rax) user_register;

#define USER_CS_32 0x23 /* __USER32_CS: the tracee runs 32-bit code */
#define CONTEXT_RESULT offsetof(ucontext_t, uc_mcontext.gregs[REG_RAX])

#define REGISTERS_CALL_LENGTH 2 /* syscall, int 0x80 */

static inline int registers_read(pid_t tid, struct registers *regs)
{
	return ptrace(PTRACE_GETREGS, tid, 0, &regs->user) < 0 ? -errno : 0;
}

static inline int registers_write(pid_t tid, const struct registers *regs)
{
	return ptrace(PTRACE_SETREGS, tid, 0, &regs->user) < 0 ? -errno : 0;
}

static inline uint64_t registers_number(const struct registers *regs)
{
	return regs->user.orig_rax;
}

static inline uint64_t registers_argument(const struct registers *regs, unsigned int i, bool compat)
{
	const uint64_t native[6] = {regs->user.rdi, regs->user.rsi, regs->user.rdx,
				    regs->user.r10, regs->user.r8,  regs->user.r9};
	const uint64_t i386[6] = {regs->user.rbx, regs->user.rcx, regs->user.rdx,
				  regs->user.rsi, regs->user.rdi, regs->user.rbp};

	return compat ? (uint32_t)i386[i] : native[i];
}

static inline int64_t registers_result(const struct registers *regs)
{
	return (int64_t)regs->user.rax;
}

static inline void registers_set_argument(struct registers *regs, uint64_t value, bool compat)
{
	if (compat)
		regs->user.rbx = value;
	else
		regs->user.rdi = value;
}

static inline void registers_set_arguments(struct registers *regs, const uint64_t values[6], bool compat)
{
	user_register *const native[6] = {&regs->user.rdi, &regs->user.rsi, &regs->user.rdx,
					  &regs->user.r10, &regs->user.r8,  &regs->user.r9};
	user_register *const i386[6] = {&regs->user.rbx, &regs->user.rcx, &regs->user.rdx,
					&regs->user.rsi, &regs->user.rdi, &regs->user.rbp};

	for (unsigned int i = 0; i < 6; i++)
		*(compat ? i386 : native)[i] = compat ? (uint32_t)values[i] : values[i];
}

static inline void registers_set_result(struct registers *regs, int64_t value)
{
	regs->user.rax = (uint64_t)value;
}

static inline int registers_set_number(pid_t tid, struct registers *regs, int64_t number)
{
	regs->user.orig_rax = (uint64_t)number;
	return registers_write(tid, regs);
}

static inline bool registers_compat(const struct registers *regs)
{
	return regs->user.cs == USER_CS_32;
}

static inline uint64_t registers_stack(const struct registers *regs)
{
	return regs->user.rsp;
}

static inline void registers_set_stack(struct registers *regs, uint64_t pointer)
{
	regs->user.rsp = pointer;
}

static inline uint64_t registers_context(const struct registers *regs)
{
	/* arch/x86/kernel/signal_64.c: the third argument is &frame->uc, with or without SA_SIGINFO. */
	return registers_compat(regs) ? 0 : regs->user.rdx;
}

static inline uint64_t registers_instruction(const struct registers *regs)
{
	return regs->user.rip;
}

static inline void registers_set_instruction(struct registers *regs, uint64_t address)
{
	regs->user.rip = address;
}

static inline uint64_t registers_thread_pointer(const struct registers *regs)
{
	return regs->user.fs_base;
}

/* The same of a tracee that stands, by one request that reads nothing else. 0: it has none yet; -errno. */
static inline int registers_peek_thread_pointer(pid_t tid, uint64_t *pointer)
{
	long word;

	errno = 0;
	word = ptrace(PTRACE_PEEKUSER, tid, offsetof(struct user, regs.fs_base), 0);
	if (errno)
		return -errno;
	*pointer = (uint64_t)word;
	return 0;
}

/* The address of its next instruction, of a tracee that stands. 0: it can't be read. */
static inline uint64_t registers_peek_instruction(pid_t tid)
{
	long word;

	errno = 0;
	word = ptrace(PTRACE_PEEKUSER, tid, offsetof(struct user, regs.rip), 0);
	return errno ? 0 : (uint64_t)word;
}

static inline uint64_t registers_rcx(const struct registers *regs)
{
	return regs->user.rcx;
}

static inline uint64_t registers_r11(const struct registers *regs)
{
	return regs->user.r11;
}

/* The x32 ABI is told by the numbers of its calls. */
static inline bool registers_undecoded(pid_t tid)
{
	(void)tid;
	return false;
}

static inline uint64_t registers_rolled_back(uint64_t number, const uint64_t args[6])
{
	(void)args;
	return number;
}

/* A call that was not made shows an error there, and one that was to be made again a code of the kernel's own. */
static inline int64_t registers_moved(const struct registers *regs, uint64_t argument, uint64_t instruction)
{
	(void)argument, (void)instruction;
	return (int64_t)regs->user.rax;
}

/* The call that the tracee has made is made again when it runs on, for the instruction stands right before rip. */
static inline void registers_restart(struct registers *regs, int64_t number)
{
	regs->user.rax = (uint64_t)number;
	regs->user.orig_rax = (uint64_t)-1;
	regs->user.rip -= 2;
}

/* The kernel is not to restart the call that the tracee has made last. */
static inline void registers_forget_call(struct registers *regs)
{
	regs->user.orig_rax = (uint64_t)-1;
}

/* The processor's numbers of the registers that a call's arguments are in: rdi, rsi, rdx, r10, r8, r9. */
static const uint8_t registers_of_argument[6] = {7, 6, 2, 10, 8, 9};

/* Registers that code would have to load which makes calls and goes on: all that a call needs or destroys. */
struct loaded {
	unsigned int number;
	uint64_t value;
};

#define REGISTERS_LOADED 9

static inline void registers_loaded(const struct registers *regs, struct loaded out[REGISTERS_LOADED])
{
	const struct loaded loaded[REGISTERS_LOADED] = {
		{0, regs->user.rax}, {1, regs->user.rcx},  {2, regs->user.rdx},
		{6, regs->user.rsi}, {7, regs->user.rdi},  {8, regs->user.r8},
		{9, regs->user.r9},  {10, regs->user.r10}, {11, regs->user.r11},
	};

	for (unsigned int i = 0; i < REGISTERS_LOADED; i++)
		out[i] = loaded[i];
}

static inline void registers_set_r11(struct registers *regs, uint64_t value)
{
	regs->user.r11 = value;
}

static inline void registers_set_rdx(struct registers *regs, uint64_t value)
{
	regs->user.rdx = value;
}

static inline uint64_t registers_rbx(const struct registers *regs)
{
	return regs->user.rbx;
}

/* As fast/image/request.S saves them. */
static inline void registers_set_saved(struct registers *regs, const uint64_t saved[7])
{
	regs->user.rax = saved[0];
	regs->user.rdi = saved[1];
	regs->user.rsi = saved[2];
	regs->user.rdx = saved[3];
	regs->user.r10 = saved[4];
	regs->user.rbx = saved[5];
	regs->user.r11 = saved[6];
}

/* As fast/image/ending.S saves them. */
static inline void registers_set_ending(struct registers *regs, const uint64_t saved[6])
{
	regs->user.rsi = saved[0];
	regs->user.rdx = saved[1];
	regs->user.r10 = saved[2];
	regs->user.r8 = saved[3];
	regs->user.rbx = saved[4];
	regs->user.r11 = saved[5];
}

/* As fast/image/attempt.S saves them; rsp, the last one, is not changed there. */
static inline void registers_set_attempt(struct registers *regs, const uint64_t saved[9])
{
	registers_set_ending(regs, saved);
	regs->user.rdi = saved[6];
	regs->user.r9 = saved[7];
}

static inline bool registers_zero(const struct registers *regs)
{
	return regs->user.eflags >> 6 & 1;
}

static inline void registers_set_carry(struct registers *regs, bool carry)
{
	regs->user.eflags = (regs->user.eflags & ~(uint64_t)1) | carry;
}

static inline bool registers_carry(const struct registers *regs)
{
	return regs->user.eflags & 1;
}

/* What cmp rax, operand does: Intel's manual, volume 2, CMP, and volume 1, 3.4.3.1 (status flags). */
static inline void registers_compare(struct registers *regs, int32_t operand)
{
	const uint64_t a = regs->user.rax, b = (uint64_t)(int64_t)operand, difference = a - b;
	const uint64_t carry = a < b, zero = difference == 0, sign = difference >> 63;
	const uint64_t overflow = ((a ^ b) & (a ^ difference)) >> 63, adjust = (a ^ b ^ difference) >> 4 & 1;
	const uint64_t parity = !__builtin_parity((unsigned int)(difference & 0xff));

	regs->user.eflags &= ~(uint64_t)0x8d5;
	regs->user.eflags |= carry | parity << 2 | adjust << 4 | zero << 6 | sign << 7 | overflow << 11;
}

/* What neg eax does: the upper half becomes 0. */
static inline void registers_negate(struct registers *regs)
{
	const uint32_t a = (uint32_t)regs->user.rax, difference = 0 - a;
	const uint64_t carry = a != 0, zero = difference == 0, sign = difference >> 31, overflow = a == 0x80000000u;
	const uint64_t adjust = (a & 0xf) != 0, parity = !__builtin_parity(difference & 0xff);

	regs->user.rax = difference;
	regs->user.eflags &= ~(uint64_t)0x8d5;
	regs->user.eflags |= carry | parity << 2 | adjust << 4 | zero << 6 | sign << 7 | overflow << 11;
}

/* mov between registers that the processor numbers so; of 32 bits unless wide: then the upper half becomes 0. */
static inline void registers_move(struct registers *regs, unsigned int to, unsigned int from, bool wide)
{
	user_register *const by_number[16] = {
		&regs->user.rax, &regs->user.rcx, &regs->user.rdx, &regs->user.rbx, &regs->user.rsp, &regs->user.rbp,
		&regs->user.rsi, &regs->user.rdi, &regs->user.r8,  &regs->user.r9,  &regs->user.r10, &regs->user.r11,
		&regs->user.r12, &regs->user.r13, &regs->user.r14, &regs->user.r15,
	};

	*by_number[to] = wide ? *by_number[from] : (uint32_t)*by_number[from];
}
