/* SPDX-License-Identifier: GPL-2.0-or-later
 * A program with addresses of its own choice, and with limits: after it has transferred for a while it wants
 *   mapped fixed [wait]      256 MB below 2 GiB by MAP_FIXED, which nobody but itself may write to
 *   mapped noreplace [wait]  the same, where nothing may be
 *   mapped hint [wait]       the same, as a wish
 *   mapped low [wait]        as much below 2 GiB as there is
 *   mapped unmap [wait]      nothing there, and asks whether that is so
 *   mapped moved [wait]      what it has elsewhere
 *   mapped heap [wait]       a heap that ends there (where the kernel lets it)
 *   mapped space [wait]      few addresses: RLIMIT_AS, and the rest of them
 *   mapped data [wait]       little memory: RLIMIT_DATA, and the rest of it
 *   mapped lock [wait]       all that it has locked
 * Then it transfers on. Threads transfer meanwhile, and one waits. */
#include <sys/resource.h>

#include "begin.h"

enum { BEFORE = 300, THREADS = 3, PIECE = 61 };

#define AT ((unsigned char *)0x70000000)
#define SIZE (256ul << 20)
#define MOST (960ul << 20) /* of the 1024 that MAP_32BIT has, some of which a C library may use */
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)

static int pair[2], waited[2];
static atomic_int begun, ended;

static void rounds(int *ends, unsigned int stream, int times)
{
	char bytes[PIECE];
	for (int i = 0; i < times; i++) {
		fill(bytes, PIECE, stream, (unsigned long long)i * PIECE);
		must(counted(&tally->sent, send(ends[0], bytes, PIECE, MSG_NOSIGNAL)) == PIECE);
		memset(bytes, 0, PIECE);
		must(counted(&tally->received, recv(ends[1], bytes, PIECE, MSG_WAITALL)) == PIECE);
		check(bytes, PIECE, stream, (unsigned long long)i * PIECE);
	}
}

static void *transferer(void *argument)
{
	begun++;
	while (!ended)
		rounds(argument, 1, 10);
	return NULL;
}

static void *waiter(void *argument)
{
	char bytes[PIECE];
	(void)argument;
	begun++;
	must(counted(&tally->received, recv(waited[1], bytes, PIECE, 0)) == PIECE);
	check(bytes, PIECE, 5, 0);
	return NULL;
}

static void *map(void *at, size_t size, int flags)
{
	return mmap(at, size, PROT_READ | PROT_WRITE, ANONYMOUS | flags, -1, 0);
}

/* The bytes that are mapped, or only those that a limit of data counts, and none of them where somebody else may have
 * put something. */
static unsigned long long mapped(int data)
{
	unsigned long from, to;
	unsigned long long sum = 0;
	char line[512], access[8];
	FILE *file = fopen("/proc/self/maps", "r");
	must(file != NULL);
	while (fgets(line, sizeof line, file) != NULL) {
		if (sscanf(line, "%lx-%lx %7s", &from, &to, access) != 3 || strstr(line, "[vsyscall]") != NULL)
			continue;
		int counts = !data || (access[1] == 'w' && access[3] == 'p' && strstr(line, "[stack]") == NULL);
		if (counts && (to <= (size_t)AT || from >= (size_t)AT + SIZE))
			sum += to - from;
	}
	fclose(file);
	return sum;
}

static int map_more(size_t size)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static void limit(int which)
{
	struct rlimit limit;
	must(getrlimit(which, &limit) == 0);
	limit.rlim_cur = mapped(which == RLIMIT_DATA) + (8u << 20);
	must(setrlimit(which, &limit) == 0);
	must(map_more(7u << 20) && !map_more(2u << 20));
}

static void assert_clear(void)
{
	char line[512];
	FILE *file = fopen("/proc/self/maps", "r");
	unsigned long from, to;
	must(file != NULL);
	while (fgets(line, sizeof line, file) != NULL)
		must(sscanf(line, "%lx-%lx", &from, &to) != 2 || to <= (size_t)AT || from >= (size_t)AT + SIZE);
	fclose(file);
}

static void heap(void)
{
	unsigned char *before = sbrk(0), *end = AT + (240u << 20);
	if ((size_t)before < (size_t)AT && brk(end) == 0) {
		end[-1] = 1;
		must(sbrk(0) == end && brk(before) == 0);
	}
}

/* True: it has got the 256 MB. */
static int want(const char *mode)
{
	unsigned char seen;
	void *other;
	if (strcmp(mode, "fixed") == 0)
		return map(AT, SIZE, MAP_FIXED) == AT;
	if (strcmp(mode, "noreplace") == 0)
		return map(AT, SIZE, MAP_FIXED_NOREPLACE) == AT;
	if (strcmp(mode, "hint") == 0)
		return map(AT, SIZE, 0) == AT;
	if (strcmp(mode, "moved") == 0) {
		must((other = map(NULL, SIZE, 0)) != MAP_FAILED);
		return mremap(other, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, AT) == AT;
	}
	if (strcmp(mode, "low") == 0)
		must(map(NULL, MOST, MAP_32BIT) != MAP_FAILED);
	else if (strcmp(mode, "heap") == 0)
		heap();
	else if (strcmp(mode, "space") == 0)
		limit(RLIMIT_AS);
	else if (strcmp(mode, "data") == 0)
		limit(RLIMIT_DATA);
	else if (strcmp(mode, "unmap") == 0)
		must(mincore(AT + (200u << 20), 4096, &seen) == -1 && errno == ENOMEM && munmap(AT, SIZE) == 0);
	else
		must(strcmp(mode, "lock") == 0 && (mlockall(MCL_CURRENT) == 0 || errno == ENOMEM || errno == EPERM));
	if (strcmp(mode, "low") != 0 && strcmp(mode, "heap") != 0)
		assert_clear();
	return 0;
}

int main(int argc, char **argv)
{
	static int pairs[THREADS][2];
	pthread_t threads[THREADS + 1];
	char bytes[PIECE];
	must(argc > 1);
	tally_open();
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, waited) == 0);
	begin(argc, argv);
	threads[THREADS] = start_thread(waiter, NULL);
	for (int i = 0; i < THREADS; i++) {
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]) == 0);
		threads[i] = start_thread(transferer, pairs[i]);
	}
	rounds(pair, 2, BEFORE);
	while (begun <= THREADS)
		rounds(pair, 2, 1);
	int own = want(argv[1]);
	for (size_t i = 0; own && i < SIZE; i += 4096)
		must(AT[i] == 0);
	rounds(pair, 3, BEFORE);
	ended = 1;
	for (int i = 0; i < THREADS; i++)
		must(pthread_join(threads[i], NULL) == 0);
	fill(bytes, PIECE, 5, 0);
	must(counted(&tally->sent, send(waited[0], bytes, PIECE, 0)) == PIECE);
	must(pthread_join(threads[THREADS], NULL) == 0);
	for (size_t i = 0; own && i < SIZE; i += 8)
		must(*(unsigned long long *)(AT + i) == 0);
	tally_tell();
	return 0;
}
