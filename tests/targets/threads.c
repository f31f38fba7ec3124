/* SPDX-License-Identifier: GPL-2.0-or-later
 * Threads that transfer, and threads that end at awkward moments.
 *   threads pairs N      N threads, each with a socketpair of its own
 *   threads turns N      N threads transfer without a pause until each of them has done so 200 times
 *   threads exits        threads end (pthread_exit, exit(2)) while another is blocked in recv, which then goes on
 *   threads exit_group   the process ends while its threads are blocked in recv: exit status 7
 *   threads leader       the leader ends first; the others go on: exit status 3 */
#include "tally.h"

#define BLOCKED 16
static int pairs[BLOCKED][2];
static atomic_int tids[BLOCKED];

static void *talker(void *number)
{
	chat(7 * (size_t)(long)number + 1, 101);
	return NULL;
}

static void many(long count)
{
	pthread_t threads[count];
	for (long i = 0; i < count; i++)
		threads[i] = start_thread(talker, (void *)i);
	for (long i = 0; i < count; i++)
		must(pthread_join(threads[i], NULL) == 0);
}

static atomic_long behind; /* threads that have not had their turns yet */

static void *spinner(void *unused)
{
	(void)unused;
	chat(1, 200);
	for (behind--; behind > 0;)
		chat(1, 10);
	return NULL;
}

static void turns(long count)
{
	pthread_t threads[count];
	behind = count;
	for (long i = 0; i < count; i++)
		threads[i] = start_thread(spinner, NULL);
	for (long i = 0; i < count; i++)
		must(pthread_join(threads[i], NULL) == 0);
}

static void *receiver(void *number)
{
	long i = (long)number;
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]) == 0);
	chat(11, 5);
	tids[i] = gettid();
	count_recv(pairs[i][0], 100);
	return NULL;
}

static pthread_t start_receiver(long i)
{
	pthread_t thread = start_thread(receiver, (void *)i);
	while (tids[i] == 0)
		usleep(1000);
	await_blocked(getpid(), tids[i]);
	return thread;
}

static void *leaver(void *raw)
{
	chat(13, 3);
	if (raw != NULL)
		syscall(SYS_exit, 0); /* this thread alone, behind the back of libc */
	pthread_exit(NULL);
}

static void exits(void)
{
	pthread_t blocked = start_receiver(0);
	for (long i = 0; i < 10; i++)
		must(pthread_join(start_thread(leaver, (void *)(i % 2)), NULL) == 0);
	must(count_send(pairs[0][1], 17) == 17);
	must(pthread_join(blocked, NULL) == 0);
}

static void exit_while_blocked(void)
{
	for (long i = 0; i < BLOCKED; i++)
		start_receiver(i);
	tally_tell();
	_exit(7);
}

static void *survivor(void *number)
{
	await_state(getpid(), getpid(), "Z");
	chat(19, 23);
	if (++tally->step == 5) {
		tally_tell();
		exit(3);
	}
	pause();
	return number;
}

int main(int argc, char **argv)
{
	must(argc > 1);
	tally_open();
	if (strcmp(argv[1], "pairs") == 0)
		many(atol(argv[2]));
	else if (strcmp(argv[1], "turns") == 0)
		turns(atol(argv[2]));
	else if (strcmp(argv[1], "exits") == 0)
		exits();
	else if (strcmp(argv[1], "exit_group") == 0)
		exit_while_blocked();
	else {
		chat(29, 1);
		for (long i = 0; i < 5; i++)
			start_thread(survivor, NULL);
		pthread_exit(NULL);
	}
	tally_tell();
	return 0;
}
