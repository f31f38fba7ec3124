/* SPDX-License-Identifier: GPL-2.0-or-later
 * Code that is not what it was, or where it was, when somebody looked at it.
 *   changing moved [wait]     libc's code has been moved into memory of no file, as it is done for huge pages
 *   changing plugin [wait]    a file of code is written anew, under its old number, and mapped again
 *   changing dropped [wait]   libc's pages are thrown away, and come back from the file
 *   changing generated [wait] code is written, made executable, and sends; also where it can still be written
 *   changing crowded [wait]   libc's pages are thrown away while other threads send
 *   changing toggled [wait]   code is made writable and executable again, very often: it tells how long that took
 *   changing restored [wait]  libc's bytes are what they were at first, by /proc/self/mem
 *   changing written [wait]   the file of code that is mapped is written: it waits for a byte on stdin before it ends
 * With "wait" it says "ready" before it begins, and is attached to. */
#include <link.h>
#include <time.h>

#include "begin.h"
#include "sockets.h"

enum { TIMES = 300, MORE = 50, PAGE = 4096, TOGGLES = 3000, SENDERS = 3 };

#ifdef __x86_64__
struct text {
	char *start;
	size_t size;
	const void *holds;
};

typedef ssize_t send_function(int fd, const void *bytes, size_t size);

/* mov eax, 1 (write); syscall; cmp rax, -4095; ret, and as long a piece that sends nothing */
static const unsigned char sends[] = {0xb8, 1, 0, 0, 0, 0x0f, 0x05, 0x48, 0x3d, 1, 0xf0, 0xff, 0xff, 0xc3};
static const unsigned char fails[] = {0xb8, 0, 0, 0, 0, 0x48, 0xff, 0xc8, 0x90, 0x90, 0x90, 0x90, 0x90, 0xc3};

static long bare_mremap(void *from, size_t size, void *to)
{
	long result;
	register long r10 __asm__("r10") = MREMAP_MAYMOVE | MREMAP_FIXED;
	register void *r8 __asm__("r8") = to;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"((long)SYS_mremap), "D"(from), "S"(size), "d"(size), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
}

/* Where libc's code is. */
static int find(struct dl_phdr_info *info, size_t size, void *context)
{
	struct text *text = context;
	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		char *start = (char *)info->dlpi_addr + header->p_vaddr;
		if (header->p_type == PT_LOAD && (const char *)text->holds >= start &&
		    (const char *)text->holds < start + header->p_memsz) {
			text->start = (char *)((size_t)start & ~(size_t)(PAGE - 1));
			text->size = (size_t)(start + header->p_memsz - text->start + PAGE - 1) & ~(size_t)(PAGE - 1);
		}
	}
	return 0;
}

static struct text text_of_libc(void)
{
	struct text text = {.holds = (void *)(size_t)send};
	dl_iterate_phdr(find, &text);
	must(text.start != NULL);
	return text;
}

static void *memory(int protection, int flags, int fd, size_t size)
{
	void *at = mmap(NULL, size, protection, flags, fd, 0);
	must(at != MAP_FAILED);
	return at;
}

/* Nothing of libc may be called between the two, for it is not there. */
static void move_libc(void)
{
	struct text text = text_of_libc();
	char *copy = memory(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, text.size);
	memcpy(copy, text.start, text.size);
	must(mprotect(copy, text.size, PROT_READ | PROT_EXEC) == 0);
	must(bare_mremap(copy, text.size, text.start) == (long)text.start);
}

static void send_by(send_function *function, int times)
{
	int pair[2];
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	for (int i = 0; i < times; i++) {
		must(counted(&tally->sent, function(pair[0], buffer, 13)) == 13);
		must(count_recv(pair[1], 100) == 13);
	}
	must(close(pair[0]) == 0 && close(pair[1]) == 0);
}

static void plugin(void)
{
	int file = memfd_create("plugin", 0);
	must(file >= 0 && pwrite(file, fails, sizeof fails, 0) == sizeof fails);
	for (int i = 0; i < 2; i++) {
		send_function *function = (send_function *)memory(PROT_READ | PROT_EXEC, MAP_PRIVATE, file, PAGE);
		if (i == 0)
			must(function(-1, NULL, 0) == -1);
		else
			send_by(function, TIMES);
		must(munmap((void *)function, PAGE) == 0);
		must(pwrite(file, sends, sizeof sends, 0) == sizeof sends);
	}
	must(close(file) == 0);
}

static void drop(void)
{
	struct text text = text_of_libc();
	for (int i = 0; i < 3; i++) {
		must(madvise(text.start, text.size, MADV_DONTNEED) == 0);
		chat(17, TIMES);
	}
}

static void generate(void)
{
	char *page = memory(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, PAGE);
	memcpy(page, sends, sizeof sends);
	must(mprotect(page, PAGE, PROT_READ | PROT_EXEC) == 0);
	send_by((send_function *)page, TIMES);
	must(mprotect(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
	memcpy(page, fails, sizeof fails);
	must(((send_function *)page)(-1, NULL, 0) == -1);
	memcpy(page, sends, sizeof sends);
	send_by((send_function *)page, TIMES);
}

static void *send_on(void *unused)
{
	while (tally->step == 0)
		chat(19, 10);
	return unused;
}

static void drop_in_a_crowd(void)
{
	struct text text = text_of_libc();
	pthread_t senders[SENDERS];
	for (int i = 0; i < SENDERS; i++)
		senders[i] = start_thread(send_on, NULL);
	for (int i = 0; i < 20; i++) {
		unsigned long long before = tally->calls;
		must(madvise(text.start, text.size, MADV_DONTNEED) == 0);
		while (tally->calls < before + TIMES)
			sched_yield();
	}
	tally->step = 1;
	for (int i = 0; i < SENDERS; i++)
		must(pthread_join(senders[i], NULL) == 0);
}

static void toggle(void)
{
	char *page = memory(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, PAGE);
	struct timespec begin, end;
	memcpy(page, fails, sizeof fails);
	must(clock_gettime(CLOCK_MONOTONIC, &begin) == 0);
	for (int i = 0; i < TOGGLES; i++) {
		must(mprotect(page, PAGE, PROT_READ | PROT_EXEC) == 0);
		must(((send_function *)page)(-1, NULL, 0) == -1);
		must(mprotect(page, PAGE, PROT_READ | PROT_WRITE) == 0);
	}
	must(clock_gettime(CLOCK_MONOTONIC, &end) == 0);
	fprintf(stderr, "%lld\n", (end.tv_sec - begin.tv_sec) * 1000000000LL + end.tv_nsec - begin.tv_nsec);
}

static void restore(const struct text *text, const char *bytes)
{
	int file = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	must(file >= 0 && pwrite(file, bytes, text->size, (off_t)(size_t)text->start) == (ssize_t)text->size);
	chat(23, TIMES);
}

static void write_file(void)
{
	int file = memfd_create("written", 0);
	must(file >= 0 && pwrite(file, fails, sizeof fails, 0) == sizeof fails);
	send_function *function = (send_function *)memory(PROT_READ | PROT_EXEC, MAP_PRIVATE, file, PAGE);
	must(function(-1, NULL, 0) == -1);
	must(pwrite(file, sends, sizeof sends, 0) == sizeof sends);
	send_by(function, TIMES);
	must(read(STDIN_FILENO, buffer, 1) == 1);
	send_by(function, TIMES);
}

int main(int argc, char **argv)
{
	struct text text;
	char *bytes;
	must(argc > 1);
	tally_open();
	if (strcmp(argv[1], "moved") == 0)
		move_libc();
	text = text_of_libc();
	bytes = memory(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, text.size);
	memcpy(bytes, text.start, text.size);
	begin(argc, argv);
	chat(7, TIMES); /* whoever changes its code has done it by now; on a busy machine that takes longer */
	for (int i = 0; i < MORE && argc > 2 && memcmp(bytes, text.start, text.size) == 0; i++)
		chat(7, TIMES);
	if (strcmp(argv[1], "plugin") == 0)
		plugin();
	if (strcmp(argv[1], "dropped") == 0)
		drop();
	if (strcmp(argv[1], "generated") == 0)
		generate();
	if (strcmp(argv[1], "crowded") == 0)
		drop_in_a_crowd();
	if (strcmp(argv[1], "toggled") == 0)
		toggle();
	if (strcmp(argv[1], "restored") == 0)
		restore(&text, bytes);
	if (strcmp(argv[1], "written") == 0)
		write_file();
	chat(11, TIMES);
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
