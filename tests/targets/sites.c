/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: sites TIMES [wait]
 * Sends over a socket pair, TIMES by each of several functions of its own, whose syscall instructions a tracer may
 * replace or not. Its first line says where they are in its file: {"plain": offset, ...}. plain       may be replaced
 *   entered     a jump leads to the instruction itself
 *   flags       what is behind it looks at flags of before it
 *   tight       no other instruction beside it means the same elsewhere
 *   foreign     is an int 0x80 (getpid, and no send)
 *   writable    a copy of plain, in memory that can be written and executed
 * With "wait" it says "ready" before, and waits for a byte on stdin; then it uses plain alone. */
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "tell.h"

#define PAGE 4096

typedef long send_function(int fd, const void *bytes, size_t size);

#define BEGIN(name) ".pushsection .text\n.balign 64\n" #name ":\n"
#define END "\n.balign 64\n.popsection\n"
#define SENDER(name, before, behind)                                                                        \
	__asm__(BEGIN(name) "xor %r10d, %r10d\nxor %r8d, %r8d\nxor %r9d, %r9d\nmov $44, %eax\n" before "\n" \
			    "9: syscall\n" behind END);                                                     \
	extern send_function name

SENDER(plain, "", "ret");
SENDER(entered, "test %edi, %edi\njs 9f\nnop\nnop\nnop\nnop\nnop", "ret");
SENDER(flags, "test %edi, %edi", "js 8f\n8: ret");
SENDER(tight, "mov word(%rip), %rcx", "ret");
__asm__(".pushsection .data\n.balign 8\nword: .quad 0\n.popsection\n");
__asm__(BEGIN(foreign) "mov $20, %eax\nint $0x80\nret" END);
extern send_function foreign;

extern const char __ehdr_start[];

static int ends[2];
static unsigned long long moved;

static void use(send_function *function, long times)
{
	char byte;

	for (long i = 0; i < times; i++, moved++)
		must(function(ends[0], "x", 1) == 1 && recv(ends[1], &byte, 1, 0) == 1);
}

static send_function *writable_copy(void)
{
	char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(page != MAP_FAILED);
	memcpy(page, (const void *)(size_t)plain, 64);
	return (send_function *)page;
}

/* Where the function's syscall instruction is in this file. No code names that address: a tracer would take it for one
 * that is jumped to. */
static long place(send_function *function)
{
	const unsigned char *at = (const unsigned char *)(size_t)function;

	while (!(at[0] == 0x0f && at[1] == 0x05) && !(at[0] == 0xcd && at[1] == 0x80))
		at++;
	return (const char *)at - __ehdr_start;
}

int main(int argc, char **argv)
{
	const long times = argc > 1 ? atol(argv[1]) : 1;
	send_function *writable;
	char byte;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	printf("{\"plain\": %ld, \"entered\": %ld, \"flags\": %ld, \"tight\": %ld, \"foreign\": %ld}\n", place(plain),
	       place(entered), place(flags), place(tight), place(foreign));
	fflush(stdout);
	if (argc > 2 && strcmp(argv[2], "wait") == 0) {
		must(write(STDOUT_FILENO, "ready\n", 6) == 6 && read(STDIN_FILENO, &byte, 1) == 1);
		use(plain, times);
		tell(moved, moved);
		return 0;
	}
	writable = writable_copy(); /* before there may be a jump in what is copied */
	use(plain, times);
	use(entered, times);
	use(flags, times);
	use(tight, times);
	must(foreign(0, NULL, 0) == getpid());
	use(writable, times);
	tell(moved, moved);
	return 0;
}
