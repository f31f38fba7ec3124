/* SPDX-License-Identifier: GPL-2.0-or-later
 * Counts of a target that has many threads or processes, in memory that fork and execve keep. */
#ifndef TALLY_H
#define TALLY_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>

#include "tell.h"

#define TALLY_FD 190 /* not inherited by accident: far above what a shell or a test opens */

struct tally {
	atomic_ullong sent, received, calls, errors;
	atomic_int step; /* where the target stands, for those who wait for it */
};

static struct tally *tally;
static char buffer[1 << 16];

/* Maps the counters; after an execve those of the image before. */
static inline void tally_open(void)
{
	if (fcntl(TALLY_FD, F_GETFD) < 0) {
		int fd = memfd_create("tally", 0);
		must(fd >= 0 && ftruncate(fd, sizeof *tally) == 0 && dup2(fd, TALLY_FD) == TALLY_FD && close(fd) == 0);
	}
	tally = mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED, TALLY_FD, 0);
	must(tally != MAP_FAILED);
}

/* Prints with write(2) alone: a sandbox that allows little allows that. */
static inline void tally_tell(void)
{
	char line[160];
	int length = snprintf(line, sizeof line,
			      "{\"sent\": %llu, \"received\": %llu, \"calls\": %llu, \"errors\": %llu}\n", tally->sent,
			      tally->received, tally->calls, tally->errors);
	fflush(stdout);
	must(write(STDOUT_FILENO, line, (size_t)length) == length);
}

/* One finished call on a socket. */
static inline ssize_t counted(atomic_ullong *way, ssize_t moved)
{
	tally->calls++;
	if (moved < 0)
		tally->errors++;
	else
		*way += (unsigned long long)moved;
	return moved;
}

#define count_send(fd, size) counted(&tally->sent, send(fd, buffer, size, MSG_NOSIGNAL))
#define count_write(fd, size) counted(&tally->sent, write(fd, buffer, size))
/* Threads may receive at the same time: what arrives is not looked at, so it may land in one place. */
#define count_recv(fd, size) counted(&tally->received, recv(fd, (char[1 << 13]){0}, size, 0))
#define count_read(fd, size) counted(&tally->received, read(fd, (char[1 << 13]){0}, size))

/* Sends size bytes to itself through a socketpair, times times. */
static inline void chat(size_t size, int times)
{
	int pair[2];
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	for (int i = 0; i < times; i++) {
		must(count_send(pair[0], size) == (ssize_t)size);
		must(count_recv(pair[1], size) == (ssize_t)size);
	}
	must(close(pair[0]) == 0 && close(pair[1]) == 0);
}

static inline void await_step(int step)
{
	while (tally->step < step)
		usleep(1000);
}

/* The state letter of a thread (proc(5)): R S D T t Z X; 0 if there is none. */
static inline char thread_state(pid_t process, pid_t thread)
{
	char path[64], text[512];
	snprintf(path, sizeof path, "/proc/%d/task/%d/stat", process, thread);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t length = read(fd, text, sizeof text - 1);
	close(fd);
	if (length <= 0)
		return 0;
	text[length] = 0;
	char *name_end = strrchr(text, ')');
	return name_end ? name_end[2] : 0;
}

/* Waits until a thread has stayed in one of the states for 20 looks in a row: a tracer's own stops are shorter. */
static inline void await_state(pid_t process, pid_t thread, const char *states)
{
	for (int looks = 0; looks < 20; looks++) {
		char state = thread_state(process, thread);
		if (state == 0 || strchr(states, state) == NULL)
			looks = -1;
		usleep(2000);
	}
}

#define await_blocked(process, thread) await_state(process, thread, "S")
#define await_stopped(process, thread) await_state(process, thread, "Tt")

static inline pthread_t start_thread(void *(*run)(void *), void *argument)
{
	pthread_t thread;
	must(pthread_create(&thread, NULL, run, argument) == 0);
	return thread;
}

/* Waits for a child and returns its wait status. */
static inline int reap(pid_t child)
{
	int status;
	must(waitpid(child, &status, __WALL) == child);
	return status;
}

#endif
