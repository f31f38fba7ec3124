/* SPDX-License-Identifier: GPL-2.0-or-later
 * A program that transfers for a while, then locks itself in, and goes on.
 *   sandboxed list [wait]      an allow-list of few calls, death for the rest
 *   sandboxed tsync [wait]     the same for all threads at once, while they transfer
 *   sandboxed errno [wait]     sendto fails from then on
 *   sandboxed pointer [wait]   sendto fails unless it comes from where it has always come from (Linux tells a filter)
 */
#include <link.h>

#include "begin.h"
#include "filter.h"

enum { BEFORE = 300, AFTER = 300, THREADS = 4, PIECE = 61 };

static int pair[2];

static void rounds(int *ends, unsigned int stream, int times)
{
	char bytes[PIECE];
	for (int i = 0; i < times; i++) {
		fill(bytes, PIECE, stream, (unsigned long long)i * PIECE);
		must((i % 3 ? count_send(ends[0], 0) : 0) == 0);
		must(counted(&tally->sent, i % 2 ? write(ends[0], bytes, PIECE)
						 : send(ends[0], bytes, PIECE, MSG_NOSIGNAL)) == PIECE);
		memset(bytes, 0, PIECE);
		must(counted(&tally->received, i % 2 ? read(ends[1], bytes, PIECE) : recv(ends[1], bytes, PIECE, 0)) ==
		     PIECE);
		check(bytes, PIECE, stream, (unsigned long long)i * PIECE);
	}
}

static void lock_in(unsigned int flags)
{
	static const unsigned int allowed[] = {__NR_read,	__NR_write, __NR_sendto,      __NR_recvfrom,
					       __NR_exit_group, __NR_close, __NR_rt_sigreturn};
	enum { COUNT = sizeof allowed / sizeof *allowed };
	struct sock_filter code[2 + 2 * COUNT] = {LOAD(nr)};
	for (int i = 0; i < COUNT; i++) {
		code[1 + 2 * i] = (struct sock_filter)SKIP_UNLESS(allowed[i], 1);
		code[2 + 2 * i] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
	}
	code[1 + 2 * COUNT] = (struct sock_filter)RETURN(SECCOMP_RET_KILL_PROCESS);
	install(flags, code, 2 + 2 * COUNT);
}

static atomic_int begun, locked, finished;

/* Neither ends nor waits for anything by a call: that would be death. */
static void *transferer(void *argument)
{
	int *ends = argument;
	begun++;
	while (!locked)
		rounds(ends, 1, 10);
	rounds(ends, 2, AFTER);
	finished++;
	for (;;)
		;
	return NULL;
}

static void tsync(void)
{
	static int pairs[THREADS][2];
	for (int i = 0; i < THREADS; i++) {
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]) == 0);
		start_thread(transferer, pairs[i]);
	}
	unsigned long long goal = tally->calls + THREADS * BEFORE;
	while (begun < THREADS || tally->calls < goal)
		usleep(1000);
	lock_in(SECCOMP_FILTER_FLAG_TSYNC);
	locked = 1;
	while (finished < THREADS)
		rounds(pair, 4, 1);
}

static void failing(void)
{
	install_for(__NR_sendto, SECCOMP_RET_ERRNO | EACCES, 0);
	for (int i = 0; i < AFTER; i++) {
		must(count_send(pair[0], 19) == -1 && errno == EACCES);
		must(counted(&tally->sent, syscall(SYS_sendto, pair[0], buffer, 19, 0, NULL, 0)) == -1 &&
		     errno == EACCES);
		must(count_write(pair[0], 23) == 23 && count_recv(pair[1], 100) == 23);
	}
}

/* The code in which an address lies. */
static int find(struct dl_phdr_info *info, size_t size, void *range)
{
	unsigned long long address = (size_t)send, *limits = range;
	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		unsigned long long start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
		unsigned long long end = start + info->dlpi_phdr[i].p_memsz;
		if (info->dlpi_phdr[i].p_type == PT_LOAD && address >= start && address < end) {
			limits[0] = start;
			limits[1] = end;
		}
	}
	return 0;
}

/* The pointer's lower half is enough: a segment is smaller than that. A segment across 4 GiB: no test, it passes. */
static void by_pointer(void)
{
	unsigned long long limits[2] = {0, 0};
	dl_iterate_phdr(find, limits);
	must(limits[0]);
	if (limits[0] >> 32 == limits[1] >> 32) {
		unsigned int high = (unsigned int)(limits[0] >> 32);
		struct sock_filter code[] = {
			LOAD(nr),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_sendto, 0, 5),
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer) + 4),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, high, 0, 4),
			LOAD(instruction_pointer),
			BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (unsigned int)limits[0], 0, 2),
			BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (unsigned int)limits[1], 1, 0),
			RETURN(SECCOMP_RET_ALLOW),
			RETURN(SECCOMP_RET_ERRNO | EACCES),
		};
		install(0, code, sizeof code / sizeof *code);
	}
	rounds(pair, 3, AFTER);
}

int main(int argc, char **argv)
{
	must(argc > 1);
	const char *mode = argv[1];
	tally_open();
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	begin(argc, argv);
	rounds(pair, 1, BEFORE);
	if (strcmp(mode, "tsync") == 0) {
		tsync();
	} else if (strcmp(mode, "errno") == 0) {
		failing();
	} else if (strcmp(mode, "pointer") == 0) {
		by_pointer();
	} else {
		must(strcmp(mode, "list") == 0);
		lock_in(0);
		rounds(pair, 2, AFTER);
	}
	tally_tell();
	_exit(0);
}
