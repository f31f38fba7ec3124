/* SPDX-License-Identifier: GPL-2.0-or-later
 * A program that uses seccomp itself.
 *   sandbox allow        allow-list: its own calls, RET_KILL_PROCESS for the rest
 *   sandbox forbidden    the same, then a forbidden call: dies by SIGSYS
 *   sandbox errno        RET_ERRNO on sendto
 *   sandbox trap         RET_TRAP on sendto: a SIGSYS handler, and a return register that holds a number
 *   sandbox trace        RET_TRACE on sendto and there is no tracer: ENOSYS
 *   sandbox notify       user notification: a parent answers its child's sendto
 *   sandbox tsync        RET_ERRNO on sendmsg for all threads at once, while they transfer
 *   sandbox one_thread   RET_ERRNO on sendto for one thread and those it starts; the others go on
 *   sandbox inherited    RET_ERRNO on sendto, for a child and for a program that it executes
 *   sandbox strict|strict_call        strict mode, by prctl or by seccomp(2): read and write
 *   sandbox strict_forbidden          a forbidden call there: dies by SIGKILL
 * With one more argument it says "ready", waits for a line on stdin before it begins, and counts from there. */
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include "filter.h"

static int pair[2];

static void install_list(void)
{
	static const unsigned int allowed[] = {__NR_read,	__NR_write, __NR_sendto,    __NR_recvfrom,
					       __NR_socketpair, __NR_close, __NR_exit_group};
	enum { COUNT = sizeof allowed / sizeof *allowed };
	struct sock_filter code[2 + 2 * COUNT] = {LOAD(nr)};
	for (int i = 0; i < COUNT; i++) {
		code[1 + 2 * i] = (struct sock_filter)SKIP_UNLESS(allowed[i], 1);
		code[2 + 2 * i] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
	}
	code[1 + 2 * COUNT] = (struct sock_filter)RETURN(SECCOMP_RET_KILL_PROCESS);
	install(0, code, 2 + 2 * COUNT);
}

/* Sends by the call itself, behind the back of libc; what it returned is told on stdout. */
static void try_sends(int times, size_t size)
{
	long result = 0;
	for (int i = 0; i < times; i++) {
		errno = 0;
		result = counted(&tally->sent, syscall(SYS_sendto, pair[0], buffer, size, 0, NULL, 0));
		printf("%ld %s\n", result, strerror(errno));
	}
}

static atomic_int traps;

static void on_trap(int signal)
{
	(void)signal;
	traps++;
}

static void trap(void)
{
	signal(SIGSYS, on_trap);
	install_for(__NR_sendto, SECCOMP_RET_TRAP, 0);
	for (int i = 0; i < 13; i++)
		printf("trapped, returns %ld\n", syscall(SYS_sendto, pair[0], buffer, 1009, 0, NULL, 0));
	printf("%d traps\n", traps);
	/* What the handler of a real sandbox does: the same thing by another call. */
	must(count_write(pair[0], 53) == 53 && count_read(pair[1], 53) == 53);
}

/* The filter's data is computed from the call's flags argument: all kinds of data, none of which finds a tracer. */
static void trace(void)
{
	static const unsigned int data[] = {0, 1, 2, 3, 42, 0x100, 0x1234, 0x7fff, 0x8000, 0xfffe, 0xffff};
	struct sock_filter code[] = {LOAD(nr),
				     SKIP_UNLESS(__NR_sendto, 3),
				     LOAD(args[3]),
				     BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_TRACE),
				     BPF_STMT(BPF_RET | BPF_A, 0),
				     RETURN(SECCOMP_RET_ALLOW)};
	install(0, code, sizeof code / sizeof *code);
	for (size_t i = 0; i < sizeof data / sizeof *data; i++) {
		long result = counted(&tally->sent, syscall(SYS_sendto, pair[0], buffer, 7, data[i], NULL, 0));
		printf("%#x: %ld %s\n", data[i], result, strerror(errno));
	}
	must(count_write(pair[0], 59) == 59 && count_recv(pair[1], 59) == 59);
}

#define NOTIFIED 30

/* In turn: the kernel shall go on with the call; an error; a number that stands for a send done elsewhere. */
static void supervise(int listener)
{
	for (int i = 0; i < NOTIFIED; i++) {
		struct seccomp_notif call = {0};
		struct seccomp_notif_resp answer = {0};
		must(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) == 0);
		answer.id = call.id;
		if (i % 3 == 0)
			answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		else if (i % 3 == 1)
			answer.error = -EACCES;
		else
			answer.val = (long long)call.data.args[2];
		must(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer) == 0);
	}
}

static void notify(void)
{
	int channel[2];
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, channel) == 0);
	pid_t child = fork();
	if (child == 0) {
		int listener = install_for(__NR_sendto, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
		pass_fd(channel[1], listener);
		try_sends(NOTIFIED, 61);
		must(count_write(pair[0], 67) == 67);
		fflush(stdout);
		_exit(0);
	}
	supervise(take_fd(channel[0]));
	must(reap(child) == 0);
	must(count_recv(pair[1], 4096) == NOTIFIED / 3 * 61 + 67); /* what has really arrived */
}

#define MIXERS 8

static void *mixer(void *none)
{
	int ends[2];
	struct iovec part = {buffer, 3};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	for (int failed = 0; failed < 50;) {
		must(count_send(ends[0], 5) == 5 && count_recv(ends[1], 5) == 5);
		usleep(100); /* so that for some the call that fails is the first that they make under the filter */
		if (counted(&tally->sent, sendmsg(ends[0], &message, 0)) == 3)
			must(count_read(ends[1], 3) == 3);
		else
			failed++;
	}
	return none;
}

static void tsync(void)
{
	pthread_t threads[MIXERS];
	for (int i = 0; i < MIXERS; i++)
		threads[i] = start_thread(mixer, NULL);
	while (tally->calls < MIXERS * 50)
		usleep(1000);
	install_for(__NR_sendmsg, SECCOMP_RET_ERRNO | EPERM, SECCOMP_FILTER_FLAG_TSYNC);
	for (int i = 0; i < MIXERS; i++)
		must(pthread_join(threads[i], NULL) == 0);
	must(tally->errors == MIXERS * 50);
}

static void *heir(void *none)
{
	try_sends(5, 79);
	return none;
}

static void *sandboxed(void *none)
{
	install_for(__NR_sendto, SECCOMP_RET_ERRNO | EPERM, 0);
	try_sends(7, 71);
	must(pthread_join(start_thread(heir, NULL), NULL) == 0);
	must(count_write(pair[0], 73) == 73 && count_read(pair[1], 73) == 73);
	return none;
}

static void inherited(void)
{
	char *again[] = {"sandbox", "executed", NULL};
	install_for(__NR_sendto, SECCOMP_RET_ERRNO | EPERM, 0);
	pid_t child = fork();
	if (child == 0) {
		try_sends(3, 97);
		fflush(stdout);
		execv("/proc/self/exe", again);
		_exit(98);
	}
	must(reap(child) == 0);
	must(count_read(pair[1], 4096) == 101);
}

static void executed(void)
{
	must(count_send(TALLY_FD + 1, 1) == -1 && errno == EPERM);
	must(count_write(TALLY_FD + 1, 101) == 101);
}

static void wait_for_line(void)
{
	must(write(STDOUT_FILENO, "ready\n", 6) == 6 && read(STDIN_FILENO, buffer, 1) == 1);
	tally->sent = tally->received = tally->calls = tally->errors = 0;
}

static void strict(const char *mode)
{
	tally_tell(); /* warms up stdout */
	if (strcmp(mode, "strict_call") == 0)
		must(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL) == 0);
	else
		must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0);
	for (int i = 0; i < 79; i++)
		must(count_write(pair[0], 83) == 83 && count_read(pair[1], 83) == 83);
	tally_tell();
	if (strcmp(mode, "strict_forbidden") == 0)
		syscall(SYS_getppid);
	syscall(SYS_exit, 0);
}

int main(int argc, char **argv)
{
	must(argc > 1);
	const char *mode = argv[1];
	tally_open();
	if (strcmp(mode, "executed") == 0) {
		executed();
		return 0;
	}
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && dup2(pair[0], TALLY_FD + 1) == TALLY_FD + 1);
	chat(17, 3);
	if (argc > 2)
		wait_for_line();
	if (strcmp(mode, "allow") == 0 || strcmp(mode, "forbidden") == 0) {
		install_list();
		chat(19, 101);
		must(count_write(pair[0], 23) == 23 && count_read(pair[1], 23) == 23);
	} else if (strcmp(mode, "errno") == 0) {
		install_for(__NR_sendto, SECCOMP_RET_ERRNO | EPERM, 0);
		try_sends(11, 1009);
		must(count_write(pair[0], 53) == 53 && count_recv(pair[1], 53) == 53);
	} else if (strcmp(mode, "trap") == 0) {
		trap();
	} else if (strcmp(mode, "trace") == 0) {
		trace();
	} else if (strcmp(mode, "notify") == 0) {
		notify();
	} else if (strcmp(mode, "tsync") == 0) {
		tsync();
	} else if (strcmp(mode, "inherited") == 0) {
		inherited();
	} else if (strcmp(mode, "one_thread") == 0) {
		must(pthread_join(start_thread(sandboxed, NULL), NULL) == 0);
		chat(89, 7);
	} else {
		strict(mode);
	}
	tally_tell();
	if (strcmp(mode, "forbidden") == 0)
		syscall(SYS_getppid);
	_exit(0);
}
