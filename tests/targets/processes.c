/* SPDX-License-Identifier: GPL-2.0-or-later
 * Processes that come and go, each of which transfers.
 *   processes children N N short-lived children
 *   processes exec       a thread that is not the leader executes a program
 *   processes vfork      vfork + execve, seven times
 *   processes spawn      posix_spawn, seven times
 *   processes orphans N  N processes that fork all the time, and are killed in the middle of that
 *   processes busy N     N processes, each with four threads that transfer all the time when a fifth ends the process
 *   processes daemon     double fork and setsid; the first process ends at once with status 4
 *   processes lineage    the parent moves 101 bytes, a child 13 and an executed one 17
 *   processes leaf       17 bytes, as the executed one does; tells nothing */
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>

#include "tally.h"

extern char **environ;
static char self[] = "/proc/self/exe";
static char *leaf[] = {"processes", "leaf", NULL};

static void children(int count)
{
	for (int i = 0; i < count; i++) {
		pid_t child = fork();
		must(child >= 0);
		if (child == 0) {
			chat(3, 1);
			_exit(0);
		}
		if (i % 5 != 0) /* some overlap with the next one */
			must(reap(child) == 0);
	}
	while (wait(NULL) > 0)
		;
}

/* Their children come to this process then, which waits for all. */
static void orphans(int count)
{
	must(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);
	for (int i = 0; i < count; i++) {
		pid_t forks = fork();
		must(forks >= 0);
		while (forks == 0) {
			if (fork() == 0) {
				chat(3, 1);
				_exit(0);
			}
		}
		usleep(200 + (unsigned int)(i * 37 % 1500)); /* wherever it is by then */
		must(kill(forks, SIGKILL) == 0);
	}
	while (wait(NULL) > 0)
		;
}

static void *transfers(void *none)
{
	for (;;)
		chat(3, 10);
	return none;
}

static void busy(int count)
{
	for (int i = 0; i < count; i++) {
		pid_t child = fork();
		must(child >= 0);
		if (child == 0) {
			for (int thread = 0; thread < 4; thread++)
				start_thread(transfers, NULL);
			usleep(500 + (unsigned int)(i * 97 % 3000)); /* wherever they are by then */
			_exit(0);
		}
		must(reap(child) == 0);
	}
}

static void *executer(void *leader)
{
	chat(7, 11);
	await_blocked(getpid(), (pid_t)(long)leader);
	char *after[] = {"processes", "after", NULL};
	execv(self, after);
	must(!"execv");
	return NULL;
}

static void *bystander(void *none)
{
	pause();
	return none;
}

static void thread_executes(void)
{
	for (int i = 0; i < 3; i++)
		start_thread(bystander, NULL);
	start_thread(executer, (void *)(long)getpid());
	int pair[2];
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	recv(pair[0], buffer, 1, 0); /* never comes back */
	must(!"recv returned");
}

static void vforks(void)
{
	for (int i = 0; i < 7; i++) {
		pid_t child = vfork();
		if (child == 0) {
			execv(self, leaf);
			_exit(98);
		}
		must(reap(child) == 0);
		chat(5, 1);
	}
}

static void spawns(void)
{
	for (int i = 0; i < 7; i++) {
		pid_t child;
		must(posix_spawn(&child, self, NULL, NULL, leaf, environ) == 0);
		must(reap(child) == 0);
		chat(5, 1);
	}
}

static void daemonise(void)
{
	pid_t first = getpid();
	chat(23, 1);
	if (fork() != 0)
		_exit(4);
	must(setsid() > 0);
	if (fork() != 0)
		_exit(0);
	while (kill(first, 0) == 0 && thread_state(first, first) != 'Z')
		usleep(1000);
	chat(31, 37);
	tally_tell();
	_exit(5);
}

static void lineage(void)
{
	chat(101, 1);
	pid_t child = fork();
	if (child == 0) {
		chat(13, 1);
		_exit(0);
	}
	must(reap(child) == 0);
	child = fork();
	if (child == 0) {
		execv(self, leaf);
		_exit(98);
	}
	must(reap(child) == 0);
}

int main(int argc, char **argv)
{
	must(argc > 1);
	tally_open();
	if (strcmp(argv[1], "leaf") == 0) {
		chat(17, 1);
		return 0;
	}
	if (strcmp(argv[1], "children") == 0)
		children(atoi(argv[2]));
	else if (strcmp(argv[1], "orphans") == 0)
		orphans(atoi(argv[2]));
	else if (strcmp(argv[1], "busy") == 0)
		busy(atoi(argv[2]));
	else if (strcmp(argv[1], "exec") == 0)
		thread_executes();
	else if (strcmp(argv[1], "after") == 0)
		chat(41, 1);
	else if (strcmp(argv[1], "vfork") == 0)
		vforks();
	else if (strcmp(argv[1], "spawn") == 0)
		spawns();
	else if (strcmp(argv[1], "lineage") == 0)
		lineage();
	else
		daemonise();
	tally_tell();
	return 0;
}
