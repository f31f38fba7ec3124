/* SPDX-License-Identifier: GPL-2.0-or-later
 * Processes that change, in the middle of their transfers, what others may do with them, or they themselves.
 *   hiding known     makes itself non-dumpable, and goes on with sockets that it has used before
 *   hiding new       ... and with others, and so does its child
 *   hiding blocked   ... while another thread waits in recv
 *   hiding clock     forbids itself the time stamp counter, and transfers; so does its child */
#include <sys/prctl.h>

#include "begin.h"

enum { TIMES = 200 };

static int pair[2];

static void rally(int times)
{
	for (int i = 0; i < times; i++)
		must(count_send(pair[0], 11) == 11 && count_recv(pair[1], 11) == 11);
}

static void hide(void)
{
	must(write(STDOUT_FILENO, "hides\n", 6) == 6); /* now it is known that this is no socket */
	must(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
}

static void in_child(void)
{
	pid_t child = fork();
	if (child == 0) {
		chat(13, TIMES);
		_exit(0);
	}
	must(reap(child) == 0);
}

static void *receive(void *unused)
{
	(void)unused;
	for (int i = 0; i < TIMES; i++)
		must(count_recv(pair[1], 11) == 11);
	tally->step = (int)gettid();
	must(count_recv(pair[1], 11) == 11);
	return NULL;
}

static void hide_while_blocked(void)
{
	pthread_t thread = start_thread(receive, NULL);

	for (int i = 0; i < TIMES; i++)
		must(count_send(pair[0], 11) == 11);
	await_step(1);
	await_blocked(getpid(), tally->step);
	hide();
	must(count_send(pair[0], 11) == 11);
	pthread_join(thread, NULL);
}

static void forbid_clock(void)
{
	rally(TIMES);
	must(prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0) == 0);
	rally(TIMES);
	in_child();
}

int main(int argc, char **argv)
{
	must(argc > 1);
	tally_open();
	begin(argc, argv);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	if (strcmp(argv[1], "clock") == 0) {
		forbid_clock();
	} else if (strcmp(argv[1], "blocked") == 0) {
		hide_while_blocked();
	} else {
		rally(TIMES);
		hide();
		rally(TIMES);
		if (strcmp(argv[1], "new") == 0) {
			chat(13, TIMES);
			in_child();
		}
	}
	tally_tell();
	return 0;
}
