/* SPDX-License-Identifier: GPL-2.0-or-later
 * Signals that end, stop and interrupt.
 *   signals kill         SIGKILL while in recv, sent by a child
 *   signals segv         ends by SIGSEGV
 *   signals pipe         ends by SIGPIPE: a send to a socket whose other end is closed
 *   signals stop         stops itself; a child continues it
 *   signals stop_alone   stops itself; someone outside has to continue it
 *   signals stop_child   stops and continues a child of four threads, and is told so by waitpid
 *   signals storm restart|plain   a timer interrupts blocked recv calls, with SA_RESTART or without
 *   signals storm nested   the handler transfers too, then the interrupted call restarts
 *   signals details      signals that a tracer could take for its own, and what they carry */
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "tally.h"

static int pair[2];

static void killed_in_recv(void)
{
	pid_t victim = getpid();
	tally_tell();
	if (fork() == 0) {
		await_blocked(victim, victim);
		kill(victim, SIGKILL);
		_exit(0);
	}
	recv(pair[0], buffer, 1, 0);
	must(!"recv returned");
}

static void stopped_by_itself(int alone)
{
	pid_t victim = getpid(), child = -1;
	if (!alone && (child = fork()) == 0) {
		await_stopped(victim, victim);
		tally->step = 1;
		chat(5, 7);
		kill(victim, SIGCONT);
		_exit(0);
	}
	raise(SIGSTOP);
	printf("continued at step %d\n", tally->step);
	chat(3, 11);
	if (!alone)
		must(reap(child) == 0);
}

static void *echoer(void *end)
{
	while (count_recv(((int *)end)[1], 1) == 1)
		must(count_send(((int *)end)[1], 1) == 1);
	return NULL;
}

/* Four threads that are answered byte by byte; ends when its pairs are shut down. */
static void echo_child(int pairs[4][2])
{
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		threads[i] = start_thread(echoer, pairs[i]);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	_exit(6);
}

static void stops_child(void)
{
	int pairs[4][2], status;
	for (int i = 0; i < 4; i++)
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]) == 0);
	pid_t child = fork();
	if (child == 0) {
		for (int i = 0; i < 4; i++)
			close(pairs[i][0]);
		echo_child(pairs);
	}
	for (int i = 0; i < 4; i++)
		close(pairs[i][1]);
	for (int round = 0; round < 10; round++) {
		must(kill(child, SIGSTOP) == 0);
		must(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
		for (int i = 0; i < 4; i++)
			must(count_send(pairs[i][0], 1) == 1);
		unsigned long long before = tally->calls;
		await_stopped(child, child);
		must(tally->calls == before); /* no thread of it ran */
		must(kill(child, SIGCONT) == 0);
		must(waitpid(child, &status, WCONTINUED) == child && WIFCONTINUED(status));
		for (int i = 0; i < 4; i++)
			must(count_recv(pairs[i][0], 1) == 1);
	}
	for (int i = 0; i < 4; i++)
		must(shutdown(pairs[i][0], SHUT_WR) == 0);
	status = reap(child);
	must(WIFEXITED(status) && WEXITSTATUS(status) == 6);
	puts("told of every stop");
}

static atomic_int alarms;
static int other[2];

static void on_alarm(int signal)
{
	(void)signal;
	alarms++;
	if (other[0] > 0)
		must(count_send(other[0], 2) == 2 && count_recv(other[1], 2) == 2);
}

static void storm(const char *how)
{
	int flags = strcmp(how, "plain") == 0 ? 0 : SA_RESTART;
	struct sigaction action = {.sa_handler = on_alarm, .sa_flags = flags};
	struct itimerval every = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
	pid_t sender = fork();
	if (sender == 0) {
		for (int i = 0; i < 101; i++) {
			usleep(7000); /* so that a recv is interrupted several times before it gets its byte */
			must(count_send(pair[1], 1) == 1);
		}
		_exit(0);
	}
	close(pair[1]);
	must(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &every, NULL) == 0);
	ssize_t moved;
	while ((moved = count_recv(pair[0], 1)) != 0)
		must(moved == 1 || (errno == EINTR && flags == 0));
	must(setitimer(ITIMER_REAL, &never, NULL) == 0);
	must(reap(sender) == 0);
	must(alarms > 20); /* there was a storm */
}

static void on_detail(int number, siginfo_t *info, void *context)
{
	(void)context;
	printf("%s: code %d, value %d, from %s\n", strsignal(number), info->si_code,
	       info->si_code == SI_QUEUE ? info->si_value.sival_int : 0,
	       info->si_pid == getpid() ? "itself" : "the kernel");
	fflush(stdout);
}

static void details(void)
{
	struct sigaction action = {.sa_sigaction = on_detail, .sa_flags = SA_SIGINFO};
	int numbers[] = {SIGTRAP, SIGCHLD, SIGTSTP, SIGCONT, SIGSEGV, SIGSYS, SIGURG, SIGRTMIN, SIGRTMAX};
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		must(sigaction(numbers[i], &action, NULL) == 0);
		must(raise(numbers[i]) == 0 && kill(getpid(), numbers[i]) == 0);
		must(sigqueue(getpid(), numbers[i], (union sigval){.sival_int = 1009 + (int)i}) == 0);
	}
#if defined __x86_64__ || defined __i386__
	__asm__ volatile("int3");
#else
	raise(SIGTRAP);
#endif
	chat(5, 3);
}

int main(int argc, char **argv)
{
	must(argc > 1);
	const char *mode = argv[1];
	tally_open();
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	chat(17, 19);
	if (strcmp(mode, "kill") == 0) {
		killed_in_recv();
	} else if (strcmp(mode, "segv") == 0) {
		must(setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}) == 0);
		tally_tell();
		*(volatile int *)16 = 1;
	} else if (strcmp(mode, "pipe") == 0) {
		must(close(pair[1]) == 0);
		tally->calls++;
		tally->errors++;
		tally_tell();
		send(pair[0], buffer, 1, 0);
	} else if (strcmp(mode, "stop_child") == 0) {
		stops_child();
	} else if (strcmp(mode, "storm") == 0) {
		if (strcmp(argv[2], "nested") == 0)
			must(socketpair(AF_UNIX, SOCK_STREAM, 0, other) == 0);
		storm(argv[2]);
	} else if (strcmp(mode, "details") == 0) {
		details();
	} else {
		stopped_by_itself(strcmp(mode, "stop_alone") == 0);
	}
	tally_tell();
	return 0;
}
