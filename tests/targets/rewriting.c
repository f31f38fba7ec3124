/* SPDX-License-Identifier: GPL-2.0-or-later
 * A program that puts hooks into its own code: each system call of libc's send() becomes a trap, whose handler counts
 * it and makes the call itself. It tells how many its hooks have seen.
 *   rewriting once [wait]       the hooks are put there after many calls
 *   rewriting first [wait]      before any
 *   rewriting again [wait]      they are taken away and put there again, a few times
 * With "wait" it says "ready" before it begins, and is attached to. */
#include <signal.h>
#include <ucontext.h>

#include "begin.h"
#include "sockets.h"

enum { TIMES = 300, PAGE = 4096, PLACES = 8, LENGTH = 256 };

#ifdef __x86_64__
static atomic_int hooked;
static unsigned char *places[PLACES];
static int place_count;

static long bare_sendto(const greg_t *registers)
{
	long result;
	register long r10 __asm__("r10") = registers[REG_R10];
	register long r8 __asm__("r8") = registers[REG_R8];
	register long r9 __asm__("r9") = registers[REG_R9];
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"((long)SYS_sendto), "D"(registers[REG_RDI]), "S"(registers[REG_RSI]),
			   "d"(registers[REG_RDX]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

/* At int3; a nop; where there was a system call. */
static void on_trap(int number, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
	(void)number, (void)info;
	must(registers[REG_RAX] == SYS_sendto);
	hooked++;
	registers[REG_RAX] = bare_sendto(registers);
}

static void protect(int protection)
{
	char *page = (char *)((size_t)send & ~(size_t)(PAGE - 1));
	must(mprotect(page, 2 * PAGE, protection) == 0);
}

static void hook(void)
{
	unsigned char *code = (unsigned char *)(size_t)send;
	protect(PROT_READ | PROT_WRITE | PROT_EXEC);
	place_count = 0;
	/* mov eax, 44; syscall: what lies behind send() makes other calls */
	for (int i = 0; i < LENGTH && place_count < PLACES; i++)
		if (memcmp(code + i, "\xb8\x2c\0\0\0\x0f\x05", 7) == 0)
			places[place_count++] = code + i + 5;
	must(place_count > 0);
	for (int i = 0; i < place_count; i++)
		memcpy(places[i], "\xcc\x90", 2);
	protect(PROT_READ | PROT_EXEC);
}

static void unhook(void)
{
	protect(PROT_READ | PROT_WRITE | PROT_EXEC);
	for (int i = 0; i < place_count; i++)
		memcpy(places[i], "\x0f\x05", 2);
	protect(PROT_READ | PROT_EXEC);
}

static void chat_hooked(size_t size)
{
	int before = hooked;
	chat(size, TIMES);
	must(hooked == before + TIMES);
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
	must(argc > 1);
	tally_open();
	must(sigaction(SIGTRAP, &action, NULL) == 0);
	begin(argc, argv);
	if (strcmp(argv[1], "first") != 0)
		chat(7, TIMES);
	hook();
	chat_hooked(11);
	for (int i = 0; i < 3 && strcmp(argv[1], "again") == 0; i++) {
		unhook();
		chat(13, TIMES);
		hook();
		chat_hooked(17);
	}
	printf("hooked: %d\n", hooked);
	tally_tell();
	return 0;
}
#else
int main(void)
{
	fputs("the code here is x86_64's\n", stderr);
	return SKIPPED;
}
#endif
