/* SPDX-License-Identifier: GPL-2.0-or-later
 * Something to attach to: threads that send numbered messages to each other and check what arrives.
 *   busy PAIRS
 * Obeys lines on stdin, and answers each with one line: its counts so far.
 *   go       the threads transfer           pause    they rest; the counts stand still from now on
 *   count    nothing else                   thread   a new thread transfers 13 x 101 bytes and ends
 *   child    a new process transfers 17 x 103 bytes and ends
 *   exec     this process executes "busy" anew (the counts go on)      quit     ends with status 0 */
#include <stdbool.h>

#include "tally.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool running;
static int resting;

static void rest(void)
{
	pthread_mutex_lock(&lock);
	if (!running) {
		resting++;
		pthread_cond_broadcast(&changed);
		while (!running)
			pthread_cond_wait(&changed, &lock);
		resting--;
	}
	pthread_mutex_unlock(&lock);
}

static void *client(void *ends)
{
	int fd = ((int *)ends)[0];
	for (unsigned long long number = 1;; number++) {
		unsigned long long words[2] = {number, ~number}, answer[2];
		rest();
		must(counted(&tally->sent, send(fd, words, sizeof words, 0)) == sizeof words);
		must(counted(&tally->received, recv(fd, answer, sizeof answer, 0)) == sizeof answer);
		must(answer[0] == ~number && answer[1] == number);
	}
	return NULL;
}

static void *echo(void *ends)
{
	int fd = ((int *)ends)[1];
	for (unsigned long long number = 1;; number++) {
		unsigned long long words[2];
		must(counted(&tally->received, read(fd, words, sizeof words)) == sizeof words);
		must(words[0] == number && words[1] == ~number);
		unsigned long long answer[2] = {words[1], words[0]};
		must(counted(&tally->sent, write(fd, answer, sizeof answer)) == sizeof answer);
	}
	return NULL;
}

static void *newcomer(void *none)
{
	chat(101, 13);
	return none;
}

static void set_running(bool value, int clients)
{
	pthread_mutex_lock(&lock);
	running = value;
	pthread_cond_broadcast(&changed);
	while (!value && resting < clients)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	while (!value && tally->sent != tally->received)
		usleep(1000); /* the last answers are received, but not yet noted as sent */
}

static void obey(const char *word, int clients, char **argv)
{
	if (strcmp(word, "go") == 0 || strcmp(word, "pause") == 0) {
		set_running(word[0] == 'g', clients);
	} else if (strcmp(word, "thread") == 0) {
		must(pthread_join(start_thread(newcomer, NULL), NULL) == 0);
	} else if (strcmp(word, "child") == 0) {
		pid_t child = fork();
		if (child == 0) {
			chat(103, 17);
			_exit(0);
		}
		must(reap(child) == 0);
	} else if (strcmp(word, "exec") == 0) {
		execv("/proc/self/exe", argv);
	}
	tally_tell();
	if (strcmp(word, "quit") == 0)
		exit(0);
}

int main(int argc, char **argv)
{
	must(argc > 1);
	int clients = atoi(argv[1]);
	tally_open();
	set_running(false, 0);
	for (int i = 0; i < clients; i++) {
		int *ends = malloc(2 * sizeof(int));
		must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
		start_thread(client, ends);
		start_thread(echo, ends);
	}
	set_running(false, clients);
	tally_tell();
	char word[32];
	setbuf(stdin, NULL); /* an execve must not lose a line */
	while (scanf("%31s", word) == 1)
		obey(word, clients, argv);
	return 1;
}
