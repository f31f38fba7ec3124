/* SPDX-License-Identifier: GPL-2.0-or-later
 * All signals are blocked in all threads, as servers do it that have one thread for them. One thread waits in
 * epoll_wait, and others transfer; in the end each has the mask that it had, and SIGTRAP the disposition. */
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "begin.h"

enum { THREADS = 3, TIMES = 400 };

static int event, queue;

static void assert_all_blocked(void)
{
	struct sigaction action;
	sigset_t now;
	must(sigprocmask(SIG_BLOCK, NULL, &now) == 0);
	for (int signal = 1; signal < 32; signal++)
		must(signal == SIGKILL || signal == SIGSTOP || sigismember(&now, signal) == 1);
	must(sigaction(SIGTRAP, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
}

static void *waiter(void *none)
{
	struct epoll_event got;
	must(epoll_wait(queue, &got, 1, -1) == 1);
	assert_all_blocked();
	chat(7, TIMES);
	assert_all_blocked();
	return none;
}

static void *transferer(void *none)
{
	chat(11, TIMES);
	assert_all_blocked();
	return none;
}

int main(int argc, char **argv)
{
	struct epoll_event wanted = {.events = EPOLLIN};
	pthread_t threads[THREADS + 1];
	sigset_t all;
	sigfillset(&all);
	must(sigprocmask(SIG_SETMASK, &all, NULL) == 0);
	tally_open();
	event = eventfd(0, 0);
	queue = epoll_create1(0);
	must(epoll_ctl(queue, EPOLL_CTL_ADD, event, &wanted) == 0);
	threads[0] = start_thread(waiter, NULL);
	begin(argc, argv);
	for (int i = 1; i <= THREADS; i++)
		threads[i] = start_thread(transferer, NULL);
	chat(13, TIMES);
	for (int i = 1; i <= THREADS; i++)
		must(pthread_join(threads[i], NULL) == 0);
	must(eventfd_write(event, 1) == 0 && pthread_join(threads[0], NULL) == 0);
	assert_all_blocked();
	tally_tell();
	return 0;
}
