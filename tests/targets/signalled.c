/* SPDX-License-Identifier: GPL-2.0-or-later
 * Signals at a high rate, while data that is checked goes to and fro.
 *   signalled timers restart|plain [wait]     two timers; blocked calls restart or fail with EINTR
 *   signalled nested [wait]        handlers on a signal stack, one within another, that send and receive as well
 *   signalled behind [wait]        a handler comes in a blocked recv, and another one right behind a call of the first
 *   signalled jump [wait]          handlers that jump out of a blocked recv
 *   signalled pending [wait]       blocked, raised, let in: handlers run exactly when they should
 *   signalled blocked [wait]       every signal is blocked: masks and dispositions stay what they were
 *   signalled traps [wait]         SIGTRAP, SIGURG and others that a tracer uses too */
#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include "begin.h"

enum { ROUNDS = 1500, PIECE = 97 };

static int pair[2], other[2];
static atomic_int runs, depth, deepest;
static int echo_stops;

static void catch(int number, void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
	must(sigaction(number, &action, NULL) == 0);
}

/* Moves all of it, through interruptions; those count as calls that failed. */
static void all(int sending, int fd, char *bytes, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t step = sending ? counted(&tally->sent, send(fd, bytes + done, size - done, 0))
				       : counted(&tally->received, recv(fd, bytes + done, size - done, 0));
		must(step > 0 || errno == EINTR);
		done += step > 0 ? (size_t)step : 0;
	}
}

/* Answers with the same bytes; in a thread that no signal disturbs. */
static void *echo(void *none)
{
	char bytes[PIECE];
	while (counted(&tally->received, recv(pair[1], bytes, PIECE, MSG_WAITALL)) == PIECE) {
		if (echo_stops)
			usleep(700); /* so that the other one is blocked when a signal comes */
		must(counted(&tally->sent, send(pair[1], bytes, PIECE, 0)) == PIECE);
	}
	return none;
}

static pthread_t start_echo(void)
{
	sigset_t every, before;
	sigfillset(&every);
	must(pthread_sigmask(SIG_SETMASK, &every, &before) == 0);
	pthread_t thread = start_thread(echo, NULL);
	must(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
	return thread;
}

static void converse(int rounds)
{
	char bytes[PIECE];
	for (int i = 0; i < rounds; i++) {
		unsigned long long place = (unsigned long long)i * PIECE;
		fill(bytes, PIECE, 3, place);
		all(1, pair[0], bytes, PIECE);
		memset(bytes, 0, PIECE);
		all(0, pair[0], bytes, PIECE);
		check(bytes, PIECE, 3, place);
	}
}

static void tick(int which, long microseconds)
{
	struct itimerval every = {{0, microseconds}, {0, microseconds}};
	must(setitimer(which, &every, NULL) == 0);
}

static timer_t tick_posix(int number, long microseconds)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = number};
	struct itimerspec every = {{0, microseconds * 1000}, {0, microseconds * 1000}};
	timer_t timer;
	must(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 && timer_settime(timer, 0, &every, NULL) == 0);
	return timer;
}

static void on_tick(int number)
{
	(void)number;
	runs++;
	int before = errno;
	errno = 12345; /* what a handler leaves there is not the call's */
	errno = before;
}

static void timers(int flags)
{
	catch(SIGALRM, on_tick, flags);
	catch(SIGRTMIN, on_tick, flags);
	echo_stops = 1;
	tick(ITIMER_REAL, 700);
	timer_t timer = tick_posix(SIGRTMIN, 900);
	converse(ROUNDS / 2);
	while (runs < 100)
		converse(100);
	tick(ITIMER_REAL, 0);
	must(timer_delete(timer) == 0);
}

static char stack[1 << 16];

static void on_nested(int number)
{
	char here, bytes[3];
	must(&here > stack && &here < stack + sizeof stack);
	int now = ++depth;
	if (now > deepest)
		deepest = now;
	runs++;
	fill(bytes, 3, (unsigned int)number, 5);
	all(1, other[number == SIGALRM], bytes, 3);
	if (number == SIGALRM)
		for (volatile int i = 0; i < 20000; i++) /* long enough to be interrupted itself */
			;
	memset(bytes, 0, 3);
	all(0, other[number != SIGALRM], bytes, 3);
	check(bytes, 3, (unsigned int)number, 5);
	depth--;
}

static void nested(void)
{
	must(sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL) == 0);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, other) == 0);
	catch(SIGALRM, on_nested, SA_ONSTACK | SA_RESTART);
	catch(SIGRTMIN, on_nested, SA_ONSTACK | SA_RESTART);
	/* Microseconds without a common divisor: each distance between the two comes, also that of one handler within
	 * the other. */
	tick(ITIMER_REAL, 1103);
	timer_t timer = tick_posix(SIGRTMIN, 1301);
	converse(ROUNDS);
	while (runs < 100 || deepest < 2) /* a fast machine has few signals in that time */
		converse(100);
	tick(ITIMER_REAL, 0);
	must(timer_delete(timer) == 0);
	must(deepest == 2 && depth == 0);
}

static sigjmp_buf out;
static pid_t main_tid;
static int in, to; /* sockets for datagrams */
static struct sockaddr_in in_address;

/* The datagram is there before the call has returned, and so is SIGIO. */
static void on_poke(int number)
{
	(void)number;
	must(counted(&tally->sent, sendto(to, "x", 1, 0, (struct sockaddr *)&in_address, sizeof in_address)) == 1);
	runs++;
}

static void *poker(void *none)
{
	char bytes[PIECE];
	for (int i = 0; i < 100; i++) {
		for (int poked = 0; poked < 2; poked++) {
			while (runs != 2 * i + 2 * poked || thread_state(getpid(), main_tid) != 'S')
				usleep(100);
			if (!poked)
				must(syscall(SYS_tgkill, getpid(), main_tid, SIGUSR1) == 0);
		}
		fill(bytes, PIECE, 5, 0);
		must(counted(&tally->sent, send(other[1], bytes, PIECE, 0)) == PIECE);
	}
	return none;
}

static void behind(void)
{
	socklen_t length = sizeof in_address;
	char bytes[PIECE], byte;
	main_tid = (pid_t)syscall(SYS_gettid);
	struct f_owner_ex owner = {F_OWNER_TID, main_tid};
	in_address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	in = socket(AF_INET, SOCK_DGRAM, 0);
	to = socket(AF_INET, SOCK_DGRAM, 0);
	must(in >= 0 && to >= 0 && bind(in, (struct sockaddr *)&in_address, length) == 0);
	must(getsockname(in, (struct sockaddr *)&in_address, &length) == 0);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, other) == 0);
	catch(SIGUSR1, on_poke, SA_RESTART);
	catch(SIGIO, on_tick, SA_RESTART);
	must(fcntl(in, F_SETOWN_EX, &owner) == 0 && fcntl(in, F_SETFL, O_ASYNC) == 0);
	pthread_t thread = start_thread(poker, NULL);
	for (int i = 0; i < 100; i++) {
		must(counted(&tally->received, recv(other[0], bytes, PIECE, MSG_WAITALL)) == PIECE);
		check(bytes, PIECE, 5, 0);
		must(counted(&tally->received, recv(in, &byte, 1, 0)) == 1);
	}
	must(pthread_join(thread, NULL) == 0);
}

static atomic_int jumping;

static void on_jump(int number)
{
	(void)number;
	siglongjmp(out, 1);
}

static void *waker(void *none)
{
	for (int i = 0; i < 150; i++) {
		while (jumping != 2 * i + 1 || thread_state(getpid(), main_tid) != 'S')
			usleep(100);
		must(syscall(SYS_tgkill, getpid(), main_tid, SIGUSR1) == 0);
		while (jumping == 2 * i + 1)
			usleep(100);
	}
	return none;
}

/* The recv never returns: it is no call that failed. */
static void jump(void)
{
	char bytes[PIECE];
	main_tid = (pid_t)syscall(SYS_gettid);
	catch(SIGUSR1, on_jump, SA_RESTART);
	pthread_t thread = start_thread(waker, NULL);
	for (volatile int i = 0; i < 150; i++) {
		if (sigsetjmp(out, 1) == 0) {
			jumping = 2 * i + 1;
			recv(pair[0], bytes, PIECE, 0);
			must(!"recv returned");
		}
		jumping = 2 * i + 2;
		converse(5);
	}
	must(pthread_join(thread, NULL) == 0);
}

static void pending(void)
{
	sigset_t set, now;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGURG);
	catch(SIGUSR1, on_tick, 0);
	catch(SIGURG, on_tick, 0);
	for (int i = 0; i < 200; i++) {
		must(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
		int before = runs;
		must(raise(SIGUSR1) == 0 && raise(SIGURG) == 0);
		converse(3);
		must(runs == before && sigpending(&now) == 0 && sigismember(&now, SIGUSR1));
		must(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0 && runs == before + 2);
	}
}

/* What /proc/self/status says of signals (proc(5)): pending, blocked, ignored, caught. */
static void masks(char *text, size_t size)
{
	char line[256];
	size_t length = 0;
	FILE *file = fopen("/proc/thread-self/status", "r");
	must(file);
	while (fgets(line, sizeof line, file))
		if (strncmp(line, "Sig", 3) == 0 && strncmp(line, "SigQ", 4) != 0)
			length += (size_t)snprintf(text + length, size - length, "%s", line);
	fclose(file);
}

static void blocked(void)
{
	char before[1024], after[1024];
	sigset_t every;
	sigfillset(&every);
	catch(SIGALRM, on_tick, 0);
	catch(SIGUSR2, SIG_IGN, 0);
	must(sigprocmask(SIG_SETMASK, &every, NULL) == 0 && raise(SIGUSR1) == 0);
	masks(before, sizeof before);
	converse(ROUNDS);
	masks(after, sizeof after);
	must(strcmp(before, after) == 0);
	fputs(after, stdout);
}

static void traps(void)
{
	static const int numbers[] = {SIGTRAP, SIGURG, SIGSYS, SIGSEGV, SIGCHLD, SIGCONT, SIGTSTP, SIGUSR1};
	enum { COUNT = sizeof numbers / sizeof *numbers };
	for (int i = 0; i < COUNT; i++)
		catch(numbers[i], on_tick, SA_RESTART);
	for (int i = 0; i < 400; i++) {
		must((i % 2 ? raise(numbers[i % COUNT]) : kill(getpid(), numbers[i % COUNT])) == 0);
		converse(2);
#ifdef __x86_64__
		if (i % 10 == 0)
			__asm__ volatile("int3");
#endif
	}
	printf("handlers ran: %d\n", runs);
}

int main(int argc, char **argv)
{
	must(argc > 1);
	const char *mode = argv[1];
	tally_open();
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	pthread_t thread = start_echo();
	begin(argc, argv);
	converse(100);
	if (strcmp(mode, "timers") == 0) {
		must(argc > 2);
		timers(strcmp(argv[2], "restart") == 0 ? SA_RESTART : 0);
	} else if (strcmp(mode, "nested") == 0) {
		nested();
	} else if (strcmp(mode, "behind") == 0) {
		behind();
	} else if (strcmp(mode, "jump") == 0) {
		jump();
	} else if (strcmp(mode, "pending") == 0) {
		pending();
	} else if (strcmp(mode, "blocked") == 0) {
		blocked();
	} else {
		must(strcmp(mode, "traps") == 0);
		traps();
	}
	must(shutdown(pair[0], SHUT_WR) == 0 && pthread_join(thread, NULL) == 0);
	tally_tell();
	return 0;
}
