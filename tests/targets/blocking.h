/* SPDX-License-Identifier: GPL-2.0-or-later
 * Calls that block or take long, each made by a thread of its own. Meanwhile the first thread makes others, on a socket
 * pair: a tracer that changes the program's code does so in the middle of the long one.
 *   blocking_THEME                              tells the names of its calls
 *   blocking_THEME NAME FOLDER MILLISECONDS     makes the call NAME, whose time limit is that; files are in FOLDER
 * Says "blocked" when the thread is. Goes on until stdin is readable (or at its end), ends the call, and tells
 *   NAME RESULT ERRNO SECONDS
 * and, on the last line, what it sent and received. If its code changes meanwhile it makes a file "changed".
 * With -DLOCKED the first thread gives all threads a seccomp filter meanwhile, which allows everything.
 */
#ifndef BLOCKING_H
#define BLOCKING_H

#include <ctype.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "blocking_parts.h"

enum kind {
	ENDS,	 /* when the first thread does what ends it */
	EXPIRES, /* by its time limit */
	WORKS, /* by itself; it is made again until the first thread has done its calls: one of them lasted meanwhile */
};

/* One call. What it needs, and what is to be there before, is prepared by the first thread, which may also end it. */
struct row {
	enum kind kind;
	const char *name;
	void (*prepare)(void);
	long (*call)(void);
	void (*end)(void);
};

/* A program's table ends with {0}. */
#define ENDS(name, prepare, call, end) {ENDS, name, prepare, call, end}
#define EXPIRES(name, prepare, call) {EXPIRES, name, prepare, call, NULL}
#define WORKS(name, prepare, call) {WORKS, name, prepare, call, NULL}

enum {
	LOOKS = 20,	    /* a state that lasts so many looks in a row is no passing stop of a tracer's */
	ROUNDS = 100,	    /* of the first thread's calls: more than it takes until a tracer changes the code */
	WATCHED_CODE = 256, /* bytes of send() */
	OWN_CODE = 16,	    /* and of own_write() */
	PATIENCE = 30,	    /* seconds until SIGALRM ends what hangs */
};

static atomic_int caller, enough;
static long result;
static int error;
static double began, took;

static inline double now(void)
{
	struct timespec time;

	must(clock_gettime(CLOCK_MONOTONIC, &time) == 0);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void *make_call(void *argument)
{
	const struct row *row = argument;

	began = now();
	caller = gettid();
	do {
		errno = 0;
		long one = row->call();
		if (result == 0 || one < result) /* of many, the one that was cut short */
			result = one, error = one < 0 ? errno : 0;
	} while (row->kind == WORKS && !enough);
	took = now() - began;
	done = 1;
	return NULL;
}

static inline ssize_t look(int fd, char *text, size_t size)
{
	ssize_t length = pread(fd, text, size - 1, 0); /* which no socket can do: no call that is counted */

	text[length < 0 ? 0 : length] = 0;
	return length; /* < 0: the thread has ended */
}

/* Waits until the thread sleeps in one and the same system call (proc(5): /proc/PID/task/TID/syscall), or is done. */
static inline void await_in_call(void)
{
	char path[64], before[256] = "", call[256], state[512];

	while (caller == 0)
		usleep(1000);
	snprintf(path, sizeof path, "/proc/self/task/%d/syscall", caller);
	int calls = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof path, "/proc/self/task/%d/stat", caller);
	int states = open(path, O_RDONLY | O_CLOEXEC);
	for (int looks = 0; looks < LOOKS && !done; looks++) {
		bool same = look(calls, call, sizeof call) > 0 && isdigit(call[0]) && strcmp(call, before) == 0;
		if (!same || look(states, state, sizeof state) <= 0 || strncmp(strrchr(state, ')'), ") S", 3) != 0)
			looks = 0;
		strcpy(before, call);
		usleep(1000);
	}
	must(done || (close(calls) == 0 && close(states) == 0));
}

/* Until the call has lasted so long that its whole time limit from now on would be noticed; or works. */
static inline void await_middle(enum kind kind)
{
	if (kind == WORKS) {
		while (caller == 0)
			usleep(1000);
		usleep(5000);
		return;
	}
	await_in_call();
	while (kind == EXPIRES && !done && now() < began + (double)limit_ms / 1000 / 3)
		usleep(1000);
}

/* A call of the program's own: a tracer that knows the C library's by now has to change the code once more. */
static __attribute__((noinline)) long own_write(int fd, const void *text, size_t length)
{
#ifdef __x86_64__
	long moved = SYS_write;

	asm volatile("movl $1, %%eax\n\tsyscall\n\tcmpq $-4095, %%rax"
		     : "=a"(moved)
		     : "D"(fd), "S"(text), "d"(length)
		     : "rcx", "r11", "cc", "memory");
	return moved;
#else
	return write(fd, text, length);
#endif
}

static inline void transfer(int from, int to)
{
	char text[8] = "abcdefg";

	must(counted(&tally->sent, send(from, text, 8, 0)) == 8);
	must(counted(&tally->received, recv(to, text, 8, 0)) == 8);
	must(counted(&tally->sent, write(from, text, 8)) == 8);
	must(counted(&tally->received, read(to, text, 8)) == 8);
	must(counted(&tally->sent, own_write(from, text, 8)) == 8);
	must(counted(&tally->received, recv(to, text, 8, 0)) == 8);
}

static inline void lock_all_in(void)
{
#ifdef LOCKED
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = {1, &allow};

	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0);
#endif
}

static inline void transfer_meanwhile(void)
{
	static char codes[2][WATCHED_CODE];
	int pair[2];
	bool changed = false;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	memcpy(codes[0], (void *)send, WATCHED_CODE);
	memcpy(codes[1], (void *)own_write, OWN_CODE);
	must(write(STDOUT_FILENO, "blocked\n", 8) == 8);
	lock_all_in();
	for (int round = 0; round < ROUNDS || poll(&(struct pollfd){STDIN_FILENO, POLLIN, 0}, 1, 1) == 0; round++) {
		transfer(pair[0], pair[1]);
		if (!changed && (memcmp(codes[0], (void *)send, WATCHED_CODE) != 0 ||
				 memcmp(codes[1], (void *)own_write, OWN_CODE) != 0))
			changed = close(open("changed", O_CREAT | O_WRONLY, 0600)) == 0;
	}
	must(close(pair[0]) == 0 && close(pair[1]) == 0);
}

static inline int make_one_of(const struct row *row, int argc, char **argv)
{
	for (const struct row *each = row; argc == 1 && each->name; each++)
		puts(each->name);
	if (argc == 1)
		return 0;
	must(argc == 4);
	while (row->name && strcmp(row->name, argv[1]) != 0)
		row++;
	must(row->name && chdir(argv[2]) == 0 && (limit_ms = atol(argv[3])) > 0);
	signal(SIGPIPE, SIG_IGN);
	alarm(PATIENCE);
	tally_open();
	if (row->prepare)
		row->prepare();
	caller_thread = start_thread(make_call, (void *)(size_t)row);
	await_middle(row->kind);
	transfer_meanwhile();
	if (row->end)
		row->end();
	enough = 1;
	must(pthread_join(caller_thread, NULL) == 0);
	if (clean_up)
		clean_up();
	printf("%s %ld %s %.3f\n", row->name, result, error ? strerrorname_np(error) : "-", took);
	tell(tally->sent, tally->received);
	return 0;
}

#endif
