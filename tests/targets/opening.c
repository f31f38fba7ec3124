/* SPDX-License-Identifier: GPL-2.0-or-later
 * Has a socket, and opens files.
 *   opening files [wait]     reads and closes each of many
 *   opening handler [wait]   a signal handler closes what was opened a moment ago, and makes sockets of that number
 *   opening threads [wait]   so do other threads, while each opens files
 *   opening child [wait]     a child of one thread opens files and sockets in turn */
#include <signal.h>
#include <time.h>

#include "begin.h"

enum { ROUNDS = 20000, THREADS = 4 };

static int pair[2], made[2];
static volatile sig_atomic_t is_made;
static int next;

static int open_file(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	must(fd >= 0);
	return fd;
}

static void files(int rounds)
{
	for (int i = 0; i < rounds; i++) {
		char byte;
		int fd = open_file();
		must(read(fd, &byte, 1) == 1 && byte == 0x7f && close(fd) == 0);
	}
}

static void use(const int both[2], int times)
{
	for (int i = 0; i < times; i++)
		must(count_write(both[0], 7) == 7 && count_read(both[1], 7) == 7);
	must(close(both[0]) == 0 && close(both[1]) == 0);
}

static void take_its_place(int signal)
{
	(void)signal;
	if (is_made)
		return;
	close(next);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, made) == 0);
	is_made = 1;
}

static void handler(void)
{
	struct itimerspec often = {.it_interval.tv_nsec = 300000, .it_value.tv_nsec = 300000}, never = {0};
	struct sigaction action = {.sa_handler = take_its_place, .sa_flags = SA_RESTART};
	sigset_t alarms;
	timer_t timer;
	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	must(sigprocmask(SIG_BLOCK, &alarms, NULL) == 0);
	must(sigaction(SIGALRM, &action, NULL) == 0 && timer_create(CLOCK_MONOTONIC, NULL, &timer) == 0);
	must(timer_settime(timer, 0, &often, NULL) == 0);
	for (int times = 0; times < 300;) {
		sigprocmask(SIG_UNBLOCK, &alarms, NULL);
		int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
		sigprocmask(SIG_BLOCK, &alarms, NULL);
		if (is_made) {
			use(made, 3);
			times++;
			if (fd != made[0] && fd != made[1])
				close(fd);
			is_made = 0;
		} else {
			close(fd);
		}
	}
	must(timer_settime(timer, 0, &never, NULL) == 0);
	if (is_made)
		use(made, 1);
}

static void *in_turn(void *none)
{
	for (int i = 0; i < ROUNDS / 100; i++) {
		int both[2];
		files(3);
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, both) == 0);
		files(3);
		use(both, 2);
	}
	return none;
}

static void threads(void)
{
	pthread_t all[THREADS];
	for (int i = 0; i < THREADS; i++)
		all[i] = start_thread(in_turn, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(all[i], NULL);
}

static void child(void)
{
	pthread_t other = start_thread(in_turn, NULL);
	pid_t pid = fork();
	if (pid == 0) {
		in_turn(NULL);
		_exit(0);
	}
	must(reap(pid) == 0);
	pthread_join(other, NULL);
	in_turn(NULL);
}

int main(int argc, char **argv)
{
	tally_open();
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	next = open_file();
	must(close(next) == 0);
	begin(argc, argv);
	must(count_write(pair[0], 5) == 5 && count_read(pair[1], 5) == 5);
	if (strcmp(argv[1], "files") == 0)
		files(ROUNDS);
	else if (strcmp(argv[1], "handler") == 0)
		handler();
	else if (strcmp(argv[1], "threads") == 0)
		threads();
	else
		child();
	must(count_write(pair[0], 9) == 9 && count_read(pair[1], 9) == 9);
	tally_tell();
	return 0;
}
