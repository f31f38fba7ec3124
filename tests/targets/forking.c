/* SPDX-License-Identifier: GPL-2.0-or-later
 * Children of many kinds, made after many calls; parent and child both go on.
 *   forking fork|vfork|spawn|vm|files|unshare|threads|nested [wait] */
#include <sched.h>
#include <spawn.h>

#include "begin.h"

enum { HOT = 300, CHILDREN = 7, STACK = 1 << 17, NUMBER = 200 };

extern char **environ;
static int pair[2];
static char *self_path;

static void talk(int sender, int receiver, size_t size, int times)
{
	for (int i = 0; i < times; i++) {
		must(count_write(sender, size) == (ssize_t)size && count_recv(receiver, size) == (ssize_t)size);
		must(count_send(sender, size) == (ssize_t)size && count_read(receiver, size) == (ssize_t)size);
	}
}

/* A child's own sockets, under the numbers of its parent's. */
static void rearrange(void)
{
	int fresh[2], file = memfd_create("file", 0);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, fresh) == 0 && file >= 0);
	talk(pair[0], pair[1], 3, 60);
	must(dup2(fresh[0], pair[1]) == pair[1]); /* not the parent's other end any more */
	talk(pair[1], fresh[1], 5, 60);
	must(dup2(file, pair[0]) == pair[0]);
	for (int i = 0; i < 60; i++)
		must(write(pair[0], buffer, 1009) == 1009);
	must(close(pair[0]) == 0 && close(fresh[1]) == 0 && close(file) == 0);
	chat(7, 60);
}

static void executed(void)
{
	chat(11, HOT);
	_exit(0);
}

static void by_fork(int execute)
{
	char *words[] = {self_path, "executed", NULL};
	pid_t child = execute ? vfork() : fork();
	if (child == 0) {
		if (execute) {
			execv("/proc/self/exe", words);
			_exit(98);
		}
		rearrange();
		_exit(0);
	}
	must(reap(child) == 0);
}

static void by_spawn(void)
{
	char *words[] = {self_path, "executed", NULL};
	pid_t child;
	must(posix_spawn(&child, "/proc/self/exe", NULL, NULL, words, environ) == 0);
	must(reap(child) == 0);
}

/* Same memory, own fds. */
static int in_memory(void *none)
{
	(void)none;
	rearrange();
	return 0;
}

/* Own memory, same fds: what the child opens and replaces is the parent's. */
static int in_table(void *none)
{
	int ends[2];
	(void)none;
	talk(pair[0], pair[1], 3, 60);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	must(dup2(ends[0], NUMBER) == NUMBER && dup2(ends[1], NUMBER + 1) == NUMBER + 1);
	must(close(ends[0]) == 0 && close(ends[1]) == 0);
	return 0;
}

static void by_clone(int flags, int (*run)(void *))
{
	char *stack = malloc(STACK);
	must(stack);
	pid_t child = clone(run, stack + STACK, flags | SIGCHLD, NULL);
	must(child > 0 && reap(child) == 0);
	free(stack);
}

static void by_files(void)
{
	int file = memfd_create("file", 0);
	must(file >= 0);
	for (int i = 0; i < CHILDREN; i++) {
		must(dup2(file, NUMBER) == NUMBER && dup2(file, NUMBER + 1) == NUMBER + 1);
		for (int j = 0; j < 60; j++)
			must(write(NUMBER, buffer, 1009) == 1009);
		by_clone(CLONE_FILES, in_table);
		talk(NUMBER, NUMBER + 1, 13, 60);
	}
}

static atomic_int turn;

/* A thread with its own fds: the same number is a file here and a socket there. */
static void *unsharer(void *none)
{
	int file = memfd_create("file", 0);
	must(unshare(CLONE_FILES) == 0 && file >= 0 && dup2(file, pair[0]) == pair[0]);
	turn = 1;
	for (int i = 0; i < HOT; i++) {
		must(write(pair[0], buffer, 1009) == 1009);
		must(lseek(pair[0], 0, SEEK_SET) == 0 && read(pair[0], (char[8]){0}, 8) == 8);
	}
	chat(17, 60);
	return none;
}

static void by_unshare(void)
{
	pthread_t thread = start_thread(unsharer, NULL);
	while (turn == 0)
		usleep(100);
	talk(pair[0], pair[1], 19, HOT);
	must(pthread_join(thread, NULL) == 0);
	talk(pair[0], pair[1], 19, 60);
}

static atomic_int stop;

static void *talker(void *none)
{
	while (!stop)
		chat(23, 20);
	return none;
}

static void among_threads(void)
{
	pthread_t threads[3];
	for (int i = 0; i < 3; i++)
		threads[i] = start_thread(talker, NULL);
	for (int i = 0; i < CHILDREN; i++) {
		by_fork(0);
		by_fork(1);
		by_spawn();
	}
	stop = 1;
	for (int i = 0; i < 3; i++)
		must(pthread_join(threads[i], NULL) == 0);
}

static void generations(int left)
{
	pid_t child = fork();
	if (child == 0) {
		rearrange();
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
		if (left > 0)
			generations(left - 1);
		_exit(0);
	}
	talk(pair[0], pair[1], 29, 10);
	must(reap(child) == 0);
}

static void run(const char *mode)
{
	if (strcmp(mode, "fork") == 0) {
		by_fork(0);
	} else if (strcmp(mode, "vfork") == 0) {
		by_fork(1);
	} else if (strcmp(mode, "spawn") == 0) {
		by_spawn();
	} else if (strcmp(mode, "vm") == 0) {
		by_clone(CLONE_VM | CLONE_VFORK, in_memory);
	} else {
		fprintf(stderr, "no such mode\n");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	must(argc > 1);
	const char *mode = argv[1];
	self_path = argv[0];
	tally_open();
	if (strcmp(mode, "executed") == 0)
		executed();
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	begin(argc, argv);
	talk(pair[0], pair[1], 31, HOT);
	if (strcmp(mode, "files") == 0) {
		by_files();
	} else if (strcmp(mode, "unshare") == 0) {
		by_unshare();
	} else if (strcmp(mode, "threads") == 0) {
		among_threads();
	} else if (strcmp(mode, "nested") == 0) {
		generations(3);
	} else {
		for (int i = 0; i < CHILDREN; i++) {
			run(mode);
			talk(pair[0], pair[1], 37, 20);
		}
	}
	talk(pair[0], pair[1], 41, 20);
	tally_tell();
	return 0;
}
