/* SPDX-License-Identifier: GPL-2.0-or-later
 * fds that somebody else puts in the place of others. The number of a socket, used by write and read, becomes a file's
 * that is used the same way, and a socket's again.
 *   foreign supervised   by who answers calls for it (seccomp_unotify(2), SECCOMP_IOCTL_NOTIF_ADDFD)
 *   foreign shared       by a process that shares its fds, and transfers nothing
 * With "wait" as the last argument it is supervised before it is ready (see begin.h). */
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>

#include "begin.h"
#include "files.h"
#include "filter.h"

#define TIMES 120

static int listener, file, spare;
static atomic_int source; /* what is put in pair[0]'s place */

static void rally(void)
{
	for (int i = 0; i < TIMES; i++)
		use_pair(pair[0], pair[1], 13);
}

static void use_changed(void (*change)(int))
{
	rally();
	change(file);
	for (int i = 0; i < TIMES; i++)
		use_file(pair[0]);
	change(spare);
	rally();
}

static void *supervise(void *none)
{
	await_step(1);
	for (int i = 0; i < 2; i++) {
		struct seccomp_notif call = {0};
		struct seccomp_notif_resp answer = {0};
		struct seccomp_notif_addfd add = {.flags = SECCOMP_ADDFD_FLAG_SETFD, .newfd = (__u32)pair[0]};

		must(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) == 0);
		add.id = answer.id = call.id;
		add.srcfd = (__u32)source;
		must(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add) == pair[0]);
		must(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer) == 0);
	}
	return none;
}

static void ask_supervisor(int fd)
{
	source = fd;
	must(syscall(SYS_sched_yield) == 0);
}

static void get_supervisor(void)
{
	listener = install_for(__NR_sched_yield, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
	tally->step = 1;
}

static int change_numbers(void *none)
{
	(void)none;
	for (int step = 1; step <= 3; step += 2) {
		await_step(step);
		must(dup2(source, pair[0]) == pair[0]);
		tally->step = step + 1;
	}
	return 0;
}

static void ask_sharer(int fd)
{
	int step = tally->step + 1;

	source = fd;
	tally->step = step;
	await_step(step + 1);
}

int main(int argc, char **argv)
{
	static char stack[1 << 16];
	bool supervised = argc > 1 && strcmp(argv[1], "supervised") == 0;
	pthread_t thread = 0;
	pid_t child = 0;

	tally_open();
	must((file = open_file()) >= 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	must((spare = dup(pair[0])) >= 0);
	if (supervised)
		thread = start_thread(supervise, NULL);
	if (supervised && argc > 2)
		get_supervisor();
	begin(argc, argv);
	if (supervised && argc <= 2)
		get_supervisor();
	if (!supervised)
		must((child = clone(change_numbers, stack + sizeof stack, CLONE_VM | CLONE_FILES | SIGCHLD, NULL)) > 0);
	use_changed(supervised ? ask_supervisor : ask_sharer);
	if (supervised)
		must(pthread_join(thread, NULL) == 0);
	else
		must(reap(child) == 0);
	tally_tell();
	return 0;
}
