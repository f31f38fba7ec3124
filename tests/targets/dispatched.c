/* SPDX-License-Identifier: GPL-2.0-or-later
 * System calls that the program itself emulates: syscall user dispatch, which Linux has since 5.11.
 *   dispatched selector   each sendto of libc raises SIGSYS, whose handler sends less
 *   dispatched range      libc's own instructions are let through; those elsewhere raise SIGSYS */
#include <link.h>
#include <signal.h>
#include <sys/prctl.h>
#include <ucontext.h>

#include "begin.h"
#include "sockets.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif

enum { OFF, ON, ALLOW = 0, BLOCK = 1, TIMES = 300 };

#ifdef __x86_64__
static volatile char selector = ALLOW;
static atomic_int traps;
static int pair[2], whole_range;
static char *libc_start, *libc_end;

static ssize_t bare_sendto(int fd, const void *bytes, size_t size)
{
	long result;
	register long r10 __asm__("r10") = MSG_NOSIGNAL;
	register long r8 __asm__("r8") = 0;
	register long r9 __asm__("r9") = 0;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"((long)SYS_sendto), "D"((long)fd), "S"(bytes), "d"(size), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

/* Emulates: one byte less is sent; the caller is told so. */
static void on_sigsys(int number, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
	(void)number;
	must(info->si_code == 2 && info->si_syscall == SYS_sendto); /* SYS_USER_DISPATCH */
	must(((char *)info->si_call_addr >= libc_start && (char *)info->si_call_addr < libc_end) == !whole_range);
	selector = ALLOW;
	traps++;
	registers[REG_RAX] = counted(&tally->sent, send((int)registers[REG_RDI], (void *)registers[REG_RSI],
							(size_t)registers[REG_RDX] - 1, MSG_NOSIGNAL));
	if (whole_range)
		selector = BLOCK;
}

/* Where libc's code is. */
static int find(struct dl_phdr_info *info, size_t size, void *address)
{
	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		char *start = (char *)info->dlpi_addr + header->p_vaddr;
		if (header->p_type == PT_LOAD && (char *)address >= start &&
		    (char *)address < start + header->p_memsz) {
			libc_start = start;
			libc_end = start + header->p_memsz;
		}
	}
	return 0;
}

static void by_selector(void)
{
	must(prctl(PR_SET_SYSCALL_USER_DISPATCH, ON, 0, 0, &selector) == 0);
	for (int i = 0; i < TIMES; i++) {
		selector = BLOCK;
		must(send(pair[0], buffer, 23, MSG_NOSIGNAL) == 22);
		must(selector == ALLOW && count_recv(pair[1], 100) == 22);
	}
	must(traps == TIMES);
}

static void by_range(void)
{
	whole_range = 1;
	must(prctl(PR_SET_SYSCALL_USER_DISPATCH, ON, libc_start, libc_end - libc_start, &selector) == 0);
	selector = BLOCK;
	for (int i = 0; i < TIMES; i++) {
		must(count_send(pair[0], 29) == 29 && count_recv(pair[1], 100) == 29);
		must(bare_sendto(pair[0], buffer, 31) == 30 && count_recv(pair[1], 100) == 30);
	}
	selector = ALLOW;
	must(traps == TIMES);
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO};
	must(argc > 1);
	tally_open();
	dl_iterate_phdr(find, (void *)(size_t)send);
	must(libc_start && sigaction(SIGSYS, &action, NULL) == 0);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	chat(7, TIMES); /* whoever changes libc's code has done it by now */
	skip_unless(prctl(PR_SET_SYSCALL_USER_DISPATCH, OFF, 0, 0, 0) == 0);
	if (strcmp(argv[1], "range") == 0)
		by_range();
	else
		by_selector();
	must(prctl(PR_SET_SYSCALL_USER_DISPATCH, OFF, 0, 0, 0) == 0);
	chat(11, TIMES);
	printf("traps: %d\n", traps);
	tally_tell();
	return 0;
}
#else
int main(void)
{
	fputs("syscall user dispatch is for x86_64\n", stderr);
	return SKIPPED;
}
#endif
