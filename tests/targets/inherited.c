/* SPDX-License-Identifier: GPL-2.0-or-later
 * File descriptor numbers that a child or a program gets from its parent, and then means something else by.
 *   inherited forked     a child's closes and dups leave its parent's numbers alone, and the other way about
 *   inherited spawned    so do those of posix_spawn, between vfork and execve
 *   inherited exec       execve closes a close-on-exec socket; its number becomes a file; one that fails does not */
#include <spawn.h>

#include "files.h"

extern char **environ;

static void forked(void)
{
	int file = open_file();
	use_pair(pair[0], pair[1], 7);
	pid_t child = fork();
	if (child == 0) {
		use_pair(pair[0], pair[1], 11);
		must(dup2(file, pair[0]) == pair[0]);
		use_file(pair[0]);
		tally->step = 1;
		await_step(2);
		must(count_write(pair[1], 17) == 17); /* still a socket here */
		_exit(0);
	}
	await_step(1);
	use_pair(pair[0], pair[1], 13);
	must(dup2(file, pair[1]) == pair[1]);
	use_file(pair[1]);
	tally->step = 2;
	must(reap(child) == 0 && count_read(pair[0], 17) == 17);
}

static void spawned(void)
{
	char number[12], *leaf[] = {"inherited", "leaf", number, NULL};
	posix_spawn_file_actions_t actions;
	pid_t child;
	sprintf(number, "%d", pair[0]);
	must(posix_spawn_file_actions_init(&actions) == 0);
	must(posix_spawn_file_actions_adddup2(&actions, open_file(), pair[0]) == 0);
	for (int i = 0; i < 5; i++) {
		use_pair(pair[0], pair[1], 19);
		must(posix_spawn(&child, "/proc/self/exe", &actions, NULL, leaf, environ) == 0);
		must(reap(child) == 0);
		use_pair(pair[1], pair[0], 23);
	}
}

static void executes(void)
{
	must(fcntl(pair[0], F_SETFD, FD_CLOEXEC) == 0);
	use_pair(pair[0], pair[1], 19);
	char numbers[2][12], *after[] = {"inherited", "after", numbers[0], numbers[1], NULL};
	sprintf(numbers[0], "%d", pair[0]);
	sprintf(numbers[1], "%d", pair[1]);
	must(execv("/nonexistent", after) < 0);
	use_pair(pair[1], pair[0], 3);
	execv("/proc/self/exe", after);
	must(!"execv");
}

static void executed(int closed, int kept)
{
	int file = open_file();
	must(file >= 0 && dup2(file, closed) == closed);
	use_file(closed);
	must(read(kept, buffer, 1) == 0); /* the other end is closed: a call that moves nothing */
	tally->calls++;
}

int main(int argc, char **argv)
{
	must(argc > 1);
	const char *mode = argv[1];
	if (strcmp(mode, "leaf") == 0) {
		use_file(atoi(argv[2]));
		return 0;
	}
	tally_open();
	if (strcmp(mode, "after") == 0) {
		executed(atoi(argv[2]), atoi(argv[3]));
	} else {
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
		if (strcmp(mode, "forked") == 0)
			forked();
		else if (strcmp(mode, "spawned") == 0)
			spawned();
		else
			executes();
	}
	tally_tell();
	return 0;
}
