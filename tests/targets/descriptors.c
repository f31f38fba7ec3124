/* SPDX-License-Identifier: GPL-2.0-or-later
 * File descriptor numbers that change their meaning. Every transfer uses write and read, which files allow too.
 *   descriptors reuse    threads open and close files, pipes and sockets on the same few numbers
 *   descriptors replaced dup2 replaces a number while another thread is blocked in read on it
 *   descriptors cloned   a clone(CLONE_VM|CLONE_FILES) child changes the numbers of its parent
 *   descriptors unshared a thread calls unshare(CLONE_FILES): the same number is a socket here, a file there
 *   descriptors range    close_range closes sockets; their numbers become files */
#include <sched.h>
#include <signal.h>

#include "files.h"

static void *shuffler(void *number)
{
	unsigned int seed = (unsigned int)(long)number;
	for (int i = 0; i < 300; i++) {
		int fds[2], file;
		switch (rand_r(&seed) % 4) {
		case 0:
			must((fds[0] = open_file()) >= 0 && (fds[1] = dup(fds[0])) >= 0);
			use_file(fds[1]);
			break;
		case 1:
			must(pipe(fds) == 0 && write(fds[1], buffer, 101) == 101 &&
			     read(fds[0], (char[101]){0}, 101) == 101);
			break;
		case 2: /* a socket's number becomes a file's without a close in between */
			must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
			use_pair(fds[1], fds[0], 3);
			must((file = open_file()) >= 0 && dup2(file, fds[0]) == fds[0] && close(file) == 0);
			use_file(fds[0]);
			break;
		default:
			must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
			use_pair(fds[0], fds[1], 1 + (size_t)i % 7);
		}
		must(close(fds[0]) == 0 && close(fds[1]) == 0);
	}
	return NULL;
}

static void reuse(void)
{
	pthread_t threads[6];
	for (long i = 0; i < 6; i++)
		threads[i] = start_thread(shuffler, (void *)i);
	for (int i = 0; i < 6; i++)
		must(pthread_join(threads[i], NULL) == 0);
}

static atomic_int reader_tid;

static void *reader(void *socket)
{
	char bytes[100];
	reader_tid = gettid();
	ssize_t moved = read(*(int *)socket, bytes, sizeof bytes);
	must(moved > 0);
	tally->step = (int)moved;
	return NULL;
}

/* The call belongs to what its fd named when it was entered. */
static void replaced(void)
{
	int file = open_file(), pipes[2];
	must(file >= 0 && pipe(pipes) == 0);
	use_pair(pair[1], pair[0], 3);
	pthread_t thread = start_thread(reader, &pair[0]);
	while (reader_tid == 0)
		usleep(1000);
	await_blocked(getpid(), reader_tid);
	int other = dup(pair[0]);
	must(dup2(file, pair[0]) == pair[0]);
	use_file(pair[0]);
	must(count_write(pair[1], 41) == 41);
	must(pthread_join(thread, NULL) == 0 && tally->step == 41);
	counted(&tally->received, 41);

	reader_tid = 0;
	thread = start_thread(reader, &pipes[0]);
	while (reader_tid == 0)
		usleep(1000);
	await_blocked(getpid(), reader_tid);
	must(dup2(other, pipes[0]) == pipes[0]); /* what the thread reads from is a pipe all the same */
	must(write(pipes[1], buffer, 43) == 43);
	must(pthread_join(thread, NULL) == 0 && tally->step == 43);
	use_pair(pair[1], pipes[0], 47);
}

static int change_numbers(void *file)
{
	int spare = dup(pair[0]);
	must(dup2(*(int *)file, pair[0]) == pair[0]);
	tally->step = 1;
	await_step(2);
	must(dup2(spare, pair[0]) == pair[0] && close(spare) == 0);
	use_pair(pair[0], pair[1], 5);
	return 0;
}

static void cloned(void)
{
	static char stack[1 << 16];
	int file = open_file();
	use_pair(pair[0], pair[1], 7);
	pid_t child = clone(change_numbers, stack + sizeof stack, CLONE_VM | CLONE_FILES | SIGCHLD, &file);
	must(child > 0);
	await_step(1);
	use_file(pair[0]);
	tally->step = 2;
	must(reap(child) == 0);
	use_pair(pair[0], pair[1], 11);
}

static void *separate(void *none)
{
	use_pair(pair[0], pair[1], 13);
	must(unshare(CLONE_FILES) == 0);
	tally->step = 1;
	await_step(2);
	use_pair(pair[0], pair[1], 17); /* still sockets here */
	tally->step = 3;
	await_step(4);
	return none;
}

static void unshared(void)
{
	int file = open_file();
	pthread_t thread = start_thread(separate, NULL);
	await_step(1);
	must(dup2(file, pair[0]) == pair[0] && dup2(file, pair[1]) == pair[1]);
	use_file(pair[0]);
	tally->step = 2;
	await_step(3);
	use_file(pair[1]);
	tally->step = 4;
	must(pthread_join(thread, NULL) == 0);
}

static void ranges(void)
{
	use_pair(pair[0], pair[1], 23);
	must(syscall(SYS_close_range, pair[0], pair[1], 0) == 0);
	must(open_file() == pair[0] && open_file() == pair[1]);
	use_file(pair[0]);
	use_file(pair[1]);
	must(close(pair[0]) == 0 && close(pair[1]) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	use_pair(pair[0], pair[1], 29);
	must(syscall(SYS_close_range, pair[0], pair[1], 4 /* CLOSE_RANGE_CLOEXEC: closes nothing yet */) == 0);
	use_pair(pair[0], pair[1], 31);
}

int main(int argc, char **argv)
{
	must(argc > 1);
	const char *mode = argv[1];
	tally_open();
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	if (strcmp(mode, "reuse") == 0)
		reuse();
	else if (strcmp(mode, "replaced") == 0)
		replaced();
	else if (strcmp(mode, "cloned") == 0)
		cloned();
	else if (strcmp(mode, "unshared") == 0)
		unshared();
	else if (strcmp(mode, "range") == 0)
		ranges();
	tally_tell();
	return 0;
}
