/* SPDX-License-Identifier: GPL-2.0-or-later
 * What a system call must leave alone (the x86_64 ABI): every register but rax, rcx and r11, the direction flag, the
 * 128 bytes below the stack pointer, and the vector and control registers of the floating point units.
 *   registers ROUNDS [wait] */
#include "begin.h"
#include "sockets.h"

#ifdef __x86_64__
static int pair[2];

struct state {
	unsigned long long general[12]; /* rbx rbp rsi rdi rdx r8 r9 r10 r12 r13 r14 r15 */
	unsigned long long red_zone[16];
	unsigned long long vectors[32];
	unsigned int mxcsr;
	unsigned short control;
	unsigned long long flags;
};

/* The call with known values everywhere; afterwards everything is stored. It has a frame of its own: the assembler uses
 * the red zone, and the compiler must not. */
__attribute__((noinline)) static long observe(long number, int fd, void *bytes, size_t size, struct state *seen)
{
	static unsigned long long pattern[32];
	static struct state *where;
	static long result;
	static unsigned long long saved[3];
	for (unsigned int i = 0; i < 32; i++)
		pattern[i] = 0x0123456789abcdefULL * (i + 3);
	where = seen;
	register long rax __asm__("rax") = number;
	register long rdi __asm__("rdi") = fd;
	register void *rsi __asm__("rsi") = bytes;
	register size_t rdx __asm__("rdx") = size;
	__asm__ volatile(
		"movq %%rbx, %[saved]\n movq %%rbp, 8+%[saved]\n movq %%rsp, 16+%[saved]\n"
		"subq $512, %%rsp\n"
		"leaq %[pattern], %%rcx\n"
		".irp i,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n movdqu \\i*16(%%rcx), %%xmm\\i\n"
		"movq \\i*8(%%rcx), %%r11\n movq %%r11, -128+\\i*8(%%rsp)\n .endr\n"
		"movq $0x1111111111111111, %%rbx\n movq $0x2222222222222222, %%rbp\n"
		"xorl %%r8d, %%r8d\n xorl %%r9d, %%r9d\n movl $0x4000, %%r10d\n"
		"movq $0x3333333333333333, %%r12\n movq $0x4444444444444444, %%r13\n"
		"movq $0x5555555555555555, %%r14\n movq $0x6666666666666666, %%r15\n"
		"std\n"
		"syscall\n"
		"movq %%rax, %[result]\n movq %[where], %%rcx\n"
		"movq %%rbx, 0(%%rcx)\n movq %%rbp, 8(%%rcx)\n movq %%rsi, 16(%%rcx)\n movq %%rdi, 24(%%rcx)\n"
		"movq %%rdx, 32(%%rcx)\n movq %%r8, 40(%%rcx)\n movq %%r9, 48(%%rcx)\n movq %%r10, 56(%%rcx)\n"
		"movq %%r12, 64(%%rcx)\n movq %%r13, 72(%%rcx)\n movq %%r14, 80(%%rcx)\n movq %%r15, 88(%%rcx)\n"
		".irp i,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
		"movq -128+\\i*8(%%rsp), %%r11\n movq %%r11, 96+\\i*8(%%rcx)\n"
		"movdqu %%xmm\\i, 224+\\i*16(%%rcx)\n .endr\n"
		"stmxcsr 480(%%rcx)\n fnstcw 484(%%rcx)\n"
		"pushfq\n popq 488(%%rcx)\n cld\n"
		"movq %[saved], %%rbx\n movq 8+%[saved], %%rbp\n movq 16+%[saved], %%rsp\n"
		: "+r"(rax), "+r"(rdi), "+r"(rsi), "+r"(rdx), [saved] "=m"(saved), [result] "=m"(result)
		: [pattern] "m"(pattern), [where] "m"(where)
		: "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc", "xmm0", "xmm1", "xmm2",
		  "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
		  "xmm15");
	for (int i = 0; i < 16; i++)
		must(seen->red_zone[i] == pattern[i]);
	for (int i = 0; i < 32; i++)
		must(seen->vectors[i] == pattern[i]);
	must(seen->flags & 0x400);
	return result;
}

static void checked(long number, int fd, char *bytes, size_t size, long wanted)
{
	static const int kept[] = {0, 1, 8, 9, 10, 11};
	struct state seen;
	unsigned int mxcsr;
	unsigned short control;
	__asm__ volatile("stmxcsr %0\n fnstcw %1" : "=m"(mxcsr), "=m"(control));
	must(observe(number, fd, bytes, size, &seen) == wanted);
	for (unsigned int i = 0; i < 6; i++)
		must(seen.general[kept[i]] == 0x1111111111111111ULL * (i + 1));
	must(seen.general[2] == (size_t)bytes && seen.general[3] == (unsigned int)fd && seen.general[4] == size);
	must(seen.general[5] == 0 && seen.general[6] == 0 && seen.general[7] == MSG_NOSIGNAL);
	must(seen.mxcsr == mxcsr && seen.control == control);
	counted(number == SYS_sendto ? &tally->sent : &tally->received, wanted);
}

int main(int argc, char **argv)
{
	char bytes[83];
	must(argc > 1);
	tally_open();
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	begin(argc, argv);
	for (int i = 0; i < atoi(argv[1]); i++) {
		fill(bytes, sizeof bytes, 9, (unsigned long long)i);
		checked(SYS_sendto, pair[0], bytes, sizeof bytes, sizeof bytes);
		memset(bytes, 0, sizeof bytes);
		checked(SYS_recvfrom, pair[1], bytes, sizeof bytes, sizeof bytes);
		check(bytes, sizeof bytes, 9, (unsigned long long)i);
	}
	tally_tell();
	return 0;
}
#else
int main(void)
{
	fputs("the registers are x86_64's\n", stderr);
	return SKIPPED;
}
#endif
