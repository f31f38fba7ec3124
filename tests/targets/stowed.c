/* SPDX-License-Identifier: GPL-2.0-or-later
 * A program that makes calls by code of its own at addresses where ptmon's filter lets calls pass (its own stubs lie
 * there), and tells all the same what it sent.
 *   stowed MODE [late]
 * How the code comes there: map, protect, move, share (shmat), low (MAP_32BIT, when all else below 2 GiB is taken),
 * linked (see LINKED), old and new (mmap and mmap2 of the 32-bit ABI), child (which a child of this process uses),
 * thread (which another one uses that has made no call since), memory (which another process maps, in the same memory).
 * late: after many calls. */
#include <sched.h>
#include <sys/shm.h>

#include "tally.h"

enum { BEFORE = 300, SIZE = 4096, PIECES = 40, PIECE = 1009 };

#define AT ((unsigned char *)0x7d805000) /* FAST_STUBS of native/fast/layout.h, and a page */
#define LOW ((unsigned int *)0x20000000)
#define ALL (PROT_READ | PROT_WRITE | PROT_EXEC)
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)

/* long call(long number, long fd, const void *bytes, size_t size): rdi, rsi, rdx, rcx become rax, rdi, rsi, rdx */
static const unsigned char code[] = {0x48, 0x89, 0xf8, 0x48, 0x89, 0xf7, 0x48, 0x89,
				     0xd6, 0x48, 0x89, 0xca, 0x0f, 0x05, 0xc3};
typedef long call_function(long, long, const void *, size_t);

#ifdef LINKED
__attribute__((section(".stowed"), used, naked)) long linked(long number, long fd, const void *bytes, size_t size)
{
	(void)number, (void)fd, (void)bytes, (void)size;
	__asm__("mov %rdi, %rax; mov %rsi, %rdi; mov %rdx, %rsi; mov %rcx, %rdx; syscall; ret");
}

__attribute__((section(".stowed"), used, naked)) long linked_pair(long number, long family, long type, long protocol,
								  int *ends)
{
	(void)number, (void)family, (void)type, (void)protocol, (void)ends;
	__asm__("mov %rdi, %rax; mov %rsi, %rdi; mov %rdx, %rsi; mov %rcx, %rdx; mov %r8, %r10; syscall; ret");
}
#endif

static int pair[2];
static call_function *volatile there;

static void transfer(call_function *call)
{
	for (int i = 0; i < PIECES; i++) {
		must(counted(&tally->sent, call(SYS_write, pair[0], buffer, PIECE)) == PIECE);
		must(counted(&tally->received, call(SYS_read, pair[1], buffer, PIECE)) == PIECE);
	}
}

static call_function *write_code(unsigned char *at)
{
	memcpy(at, code, sizeof code);
	return (call_function *)(size_t)at;
}

static void *map(void *at, size_t size, int protection, int flags)
{
	void *got = mmap(at, size, protection, ANONYMOUS | flags, -1, 0);
	must(got != MAP_FAILED);
	return got;
}

static unsigned int call_32(unsigned int number, size_t b, size_t c, size_t d, size_t s, size_t i)
{
	size_t result;
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"((size_t)number), "b"(b), "c"(c), "d"(d), "S"(s), "D"(i)
			 : "memory", "r8", "r9", "r10", "r11");
	return (unsigned int)result;
}

static call_function *protect(void)
{
	unsigned char *at = map(AT, SIZE, PROT_READ | PROT_WRITE, MAP_FIXED);
	call_function *call = write_code(at);
	must(mprotect(at, SIZE, PROT_READ | PROT_EXEC) == 0);
	return call;
}

static call_function *move(void)
{
	unsigned char *from = map(NULL, SIZE, ALL, 0);
	write_code(from);
	must(mremap(from, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, AT) == AT);
	return (call_function *)(size_t)AT;
}

static call_function *share(void)
{
	int segment = shmget(IPC_PRIVATE, SIZE, IPC_CREAT | 0700);
	must(segment >= 0);
	void *at = shmat(segment, AT, SHM_EXEC);
	must(shmctl(segment, IPC_RMID, NULL) == 0 && at == AT);
	return write_code(AT);
}

/* The kernel takes the lowest place that is free. */
static call_function *low(void)
{
	unsigned char *got;
	while ((got = mmap(NULL, 1 << 18, ALL, ANONYMOUS | MAP_NORESERVE | MAP_32BIT, -1, 0)) != MAP_FAILED)
		if (got >= AT && got < AT + (1 << 19))
			return write_code(got);
	must(!"a place among these addresses");
	return NULL;
}

static call_function *by_32_bits(int old)
{
	const unsigned int flags = ANONYMOUS | MAP_FIXED;
	unsigned int at = (unsigned int)(size_t)AT, got;
	if (old) {
		unsigned int *words = map(LOW, SIZE, PROT_READ | PROT_WRITE, MAP_FIXED);
		memcpy(words, ((unsigned int[]){at, SIZE, ALL, flags, ~0u, 0}), 6 * sizeof *words);
		got = call_32(90, (size_t)words, 0, 0, 0, 0);
	} else {
		got = call_32(192, at, SIZE, ALL, flags, ~0u);
	}
	if (got == -(unsigned int)ENOSYS)
		exit(77);
	must(got == at);
	return write_code(AT);
}

static int mapper(void *nothing)
{
	(void)nothing;
	map(AT, SIZE, ALL, MAP_FIXED);
	return 0;
}

static call_function *of_memory(void)
{
	unsigned char *stack = map(NULL, 1 << 16, PROT_READ | PROT_WRITE, 0);
	pid_t child = clone(mapper, stack + (1 << 16), CLONE_VM | SIGCHLD, NULL);
	must(child > 0 && reap(child) == 0);
	return write_code(AT);
}

static call_function *put(const char *mode)
{
	if (strcmp(mode, "protect") == 0)
		return protect();
	if (strcmp(mode, "move") == 0)
		return move();
	if (strcmp(mode, "share") == 0)
		return share();
	if (strcmp(mode, "low") == 0)
		return low();
	if (strcmp(mode, "old") == 0 || strcmp(mode, "new") == 0)
		return by_32_bits(mode[0] == 'o');
	if (strcmp(mode, "memory") == 0)
		return of_memory();
#ifdef LINKED
	if (strcmp(mode, "linked") == 0)
		return linked;
#endif
	return write_code(map(AT, SIZE, ALL, MAP_FIXED));
}

static atomic_int spins;

static void *spinner(void *nothing)
{
	spins = 1;
	while (!there)
		;
	transfer(there);
	return nothing;
}

int main(int argc, char **argv)
{
	must(argc > 1);
	const char *mode = argv[1];
	tally_open();
#ifdef LINKED
	// Its first socket is made by that code, too.
	must(linked_pair(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, pair) == 0);
#else
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
#endif
	if (argc > 2)
		chat(100, BEFORE);
	if (strcmp(mode, "thread") == 0) {
		pthread_t thread = start_thread(spinner, NULL);
		while (!spins)
			;
		there = put(mode);
		must(pthread_join(thread, NULL) == 0);
	} else if (strcmp(mode, "child") == 0) {
		there = put(mode);
		pid_t child = fork();
		must(child >= 0);
		if (child == 0) {
			transfer(there);
			_exit(0);
		}
		must(reap(child) == 0);
	} else {
		there = put(mode);
	}
	transfer(there);
	tally_tell();
	return 0;
}
