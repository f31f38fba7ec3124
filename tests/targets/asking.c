/* SPDX-License-Identifier: GPL-2.0-or-later
 * Calls that a tracer has to look at each time (messages that may name a peer), while signals come all the time.
 * Threads send themselves datagrams and check them; some get SIGUSR1 (SA_RESTART) every now and then. asking storm
 * [wait]     its handler does nothing asking nested [wait]    its handler sends and receives messages, too asking jump
 * [wait]      its handler jumps away, from wherever it finds the thread asking forks [wait]     one more thread forks
 * meanwhile; the children send and receive as well asking own [wait]       SIGURG and SIGWINCH of the program's own:
 * each one is handled, and once asking waited [wait]    SIGWINCH is blocked in all threads, and one takes it with
 * sigwait asking quota [wait]     there is no room for a siginfo (RLIMIT_SIGPENDING), and signals that nobody sends
 * don't come */
#include <setjmp.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>

#include "begin.h"

#ifndef ROUNDS
#define ROUNDS 1200
#endif

enum { THREADS = 8, STORMED = 3, SIZE = 100 };

struct worker {
	pthread_t thread;
	int pair[2];
	unsigned int number;
	atomic_int is_handling; /* or is about to: a signal has been sent */
};

static struct worker workers[THREADS];
static atomic_int begun, ended, over, handled;
static const char *mode;
static __thread struct worker *volatile me;
static __thread sigjmp_buf out;
static __thread volatile sig_atomic_t may_jump;

static int is(const char *name)
{
	return strcmp(mode, name) == 0;
}

/* Every other one as a call that the tracer need not look at. */
static ssize_t message(int sending, int fd, char *bytes, size_t size, unsigned long long place)
{
	if (place % 2)
		return sending ? write(fd, bytes, size) : read(fd, bytes, size);
	struct iovec part = {bytes, size};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
	return sending ? sendmsg(fd, &header, 0) : recvmsg(fd, &header, 0);
}

/* A message of this many bytes goes from one end to the other; nobody else uses the pair meanwhile. */
static void exchange(const int pair[2], size_t size, unsigned int stream, unsigned long long place)
{
	char bytes[2 * SIZE];
	fill(bytes, size, stream, place);
	must(counted(&tally->sent, message(1, pair[0], bytes, size, place)) == (ssize_t)size);
	memset(bytes, -1, sizeof bytes);
	must(counted(&tally->received, message(0, pair[1], bytes, sizeof bytes, place)) == (ssize_t)size);
	check(bytes, size, stream, place);
	for (size_t i = size; i < sizeof bytes; i++)
		must(bytes[i] == -1);
}

static void on_storm(int number)
{
	(void)number;
	if (is("nested")) {
		int pair[2], before = errno;
		must(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
		exchange(pair, 7, 99, 4);
		must(close(pair[0]) == 0 && close(pair[1]) == 0);
		errno = before;
		me->is_handling = 0;
	} else if (may_jump) {
		may_jump = 0;
		siglongjmp(out, 1);
	}
}

/* Nobody knows whether a call was made that its thread has jumped out of. But the datagram tells. */
static void jump(int round)
{
	char bytes[SIZE], back[2 * SIZE];
	volatile int done = 0;
	fill(bytes, SIZE, me->number, (unsigned long long)round);
	if (sigsetjmp(out, 1) == 0) {
		may_jump = 1;
		message(1, me->pair[0], bytes, SIZE, 0);
	}
	may_jump = 0;
	for (;;) {
		struct iovec part = {back, sizeof back};
		struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
		ssize_t got = counted(&tally->received, recvmsg(me->pair[1], &header, MSG_DONTWAIT));
		if (got < 0)
			break;
		must(got == SIZE && done++ == 0);
		tally->sent += SIZE;
		tally->calls++;
		check(back, SIZE, me->number, (unsigned long long)round);
	}
	must(errno == EAGAIN);
}

static void *work(void *worker)
{
	me = worker;
	begun++;
	for (int i = 0; i < ROUNDS; i++) {
		if (is("jump") && me->number < STORMED)
			jump(i);
		else
			exchange(me->pair, SIZE, me->number, (unsigned long long)i);
		if (i % 4 == 3)
			usleep(200);
	}
	ended++;
	while (!over) /* signals are sent to it */
		usleep(1000);
	return NULL;
}

static void catch(int number, void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
	must(sigaction(number, &action, NULL) == 0);
}

static void on_own(int number)
{
	(void)number;
	handled++;
}

static void forks(void)
{
	int pair[2];
	pid_t child;
	must((child = fork()) >= 0);
	if (child == 0) {
		must(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
		for (int i = 0; i < 40; i++)
			exchange(pair, 11, 77, (unsigned long long)i);
		_exit(0);
	}
	int status;
	must(waitpid(child, &status, 0) == child && status == 0);
}

/* Each signal is waited for before the next one is sent: the kernel keeps one of a kind. */
static void send_own(void)
{
	int before = handled, other = before % 2;
	if (other)
		must(pthread_kill(workers[before % THREADS].thread, SIGURG) == 0);
	else
		must(kill(getpid(), SIGWINCH) == 0);
	while (handled == before)
		usleep(50);
	must(handled == before + 1);
}

static void send_waited(void)
{
	const struct timespec patience = {20, 0};
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	must(kill(getpid(), SIGWINCH) == 0);
	must(sigtimedwait(&set, NULL, &patience) == SIGWINCH);
}

static void go_on(void)
{
	if (is("forks"))
		forks();
	else if (is("own"))
		send_own();
	else if (is("waited"))
		send_waited();
	for (int i = 0; i < STORMED && (is("storm") || is("jump") || is("nested")); i++)
		/* A handler that makes calls itself is not to be all that the thread comes to. */
		if (!is("nested") || !atomic_exchange(&workers[i].is_handling, 1))
			must(pthread_kill(workers[i].thread, SIGUSR1) == 0);
	usleep(is("nested") ? 900 : 250);
}

static void prepare(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	catch(SIGUSR1, on_storm);
	if (is("waited"))
		must(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	if (is("own") || is("quota"))
		catch(SIGURG, on_own), catch(SIGWINCH, on_own);
	if (is("quota"))
		must(setrlimit(RLIMIT_SIGPENDING, &(struct rlimit){0, 0}) == 0);
}

int main(int argc, char **argv)
{
	must(argc > 1);
	mode = argv[1];
	tally_open();
	prepare();
	for (unsigned int i = 0; i < THREADS; i++) {
		workers[i].number = i;
		must(socketpair(AF_UNIX, SOCK_DGRAM, 0, workers[i].pair) == 0);
	}
	begin(argc, argv);
	for (unsigned int i = 0; i < THREADS; i++)
		workers[i].thread = start_thread(work, &workers[i]);
	while (begun < THREADS)
		usleep(100);
	sigset_t main_blocks;
	sigemptyset(&main_blocks);
	if (is("own")) /* so that a worker gets it */
		sigaddset(&main_blocks, SIGWINCH);
	must(pthread_sigmask(SIG_BLOCK, &main_blocks, NULL) == 0);
	while (ended < THREADS)
		go_on();
	over = 1;
	for (unsigned int i = 0; i < THREADS; i++)
		must(pthread_join(workers[i].thread, NULL) == 0);
	must(!is("quota") || handled == 0);
	tally_tell();
	return 0;
}
