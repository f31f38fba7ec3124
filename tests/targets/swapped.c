/* SPDX-License-Identifier: GPL-2.0-or-later
 * A program that schedules threads of its own: the handler of a signal that interrupts a read leaves for another stack,
 * and comes back from there later. Says "ready" before it begins, "away" while it is on that stack; each waits for a
 * line. */
#include <poll.h>
#include <signal.h>
#include <ucontext.h>

#include "begin.h"

enum { ROUNDS = 300 };

static ucontext_t reader, scheduler;
static int pair[2];

static void leave(int number)
{
	(void)number;
	must(swapcontext(&reader, &scheduler) == 0);
}

static void wait_for_line(const char *word)
{
	char byte;
	struct pollfd line = {.fd = STDIN_FILENO, .events = POLLIN};
	must(write(STDOUT_FILENO, word, strlen(word)) == (ssize_t)strlen(word));
	/* Here it is stopped in a call that nobody watches. */
	must(poll(&line, 1, -1) == 1 && read(STDIN_FILENO, &byte, 1) == 1);
}

static void *alarm_clock(void *thread)
{
	await_blocked(getpid(), getpid());
	must(pthread_kill(*(pthread_t *)thread, SIGUSR1) == 0);
	return NULL;
}

static void schedule(void)
{
	wait_for_line("away\n");
	must(send(pair[0], "answer", 6, 0) == 6);
	must(swapcontext(&scheduler, &reader) == 0);
}

int main(void)
{
	static char stack[1 << 16];
	struct sigaction action = {.sa_handler = leave, .sa_flags = SA_RESTART};
	pthread_t self = pthread_self();
	char bytes[8];
	tally_open();
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && sigaction(SIGUSR1, &action, NULL) == 0);
	must(getcontext(&scheduler) == 0);
	scheduler.uc_stack.ss_sp = stack;
	scheduler.uc_stack.ss_size = sizeof stack;
	makecontext(&scheduler, schedule, 0);
	wait_for_line("ready\n");
	chat(100, ROUNDS);
	start_thread(alarm_clock, &self);
	must(recv(pair[1], bytes, sizeof bytes, 0) == 6 && memcmp(bytes, "answer", 6) == 0);
	chat(100, ROUNDS);
	must(write(STDOUT_FILENO, "done\n", 5) == 5);
	return 0;
}
