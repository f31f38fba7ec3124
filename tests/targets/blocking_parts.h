/* SPDX-License-Identifier: GPL-2.0-or-later
 * What long calls need: time limits, data that tells its place, two ends that are filled and emptied, children. */
#ifndef BLOCKING_PARTS_H
#define BLOCKING_PARTS_H

#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>

#include "tally.h"

#define KIB (1L << 10)
#define MIB (1L << 20)

static int near, far; /* what the call is made on, and the other end */
static char *bytes;   /* what is sent: byte after byte, at the place "size" it ends */
static long size;
static long limit_ms;
static void (*clean_up)(void); /* what the process's end does not */
static atomic_int done;	       /* the call has ended */
static pthread_t caller_thread;

/* The time limit, as calls want it. */
static inline struct timespec limit(void)
{
	return (struct timespec){limit_ms / 1000, limit_ms % 1000 * 1000000};
}

static inline struct timeval limit_us(void)
{
	return (struct timeval){limit_ms / 1000, limit_ms % 1000 * 1000};
}

static inline struct timespec deadline(clockid_t clock)
{
	struct timespec time;

	must(clock_gettime(clock, &time) == 0);
	time.tv_sec += limit_ms / 1000;
	time.tv_nsec += limit_ms % 1000 * 1000000;
	return (struct timespec){time.tv_sec + time.tv_nsec / 1000000000, time.tv_nsec % 1000000000};
}

static inline void set_limit(int fd, int option)
{
	struct timeval time = limit_us();

	must(setsockopt(fd, SOL_SOCKET, option, &time, sizeof time) == 0);
}

/* What a call on "near" moved counts if that is a socket. */
static inline bool is_socket(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
}

static inline long sent(long bytes)
{
	if (bytes > 0 && is_socket(near))
		tally->sent += (unsigned long long)bytes;
	return bytes;
}

static inline long received(long bytes)
{
	if (bytes > 0 && is_socket(near))
		tally->received += (unsigned long long)bytes;
	return bytes;
}

/* What makes many calls is done by a child: those of this process are to be few before the thread blocks. */
static inline void in_child(void (*work)(void))
{
	pid_t child = fork();

	if (child == 0) {
		work();
		_exit(0);
	}
	must(child > 0 && reap(child) == 0);
}

/* A child that waits until it is killed. */
static inline pid_t waiting_child(void (*first)(void))
{
	int ready[2];
	must(pipe(ready) == 0);
	pid_t child = fork();

	if (child == 0) {
		must(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
		if (first)
			first();
		must(close(ready[0]) == 0 && close(ready[1]) == 0);
		for (;;)
			pause();
	}
	must(child > 0 && close(ready[1]) == 0);
	must(poll(&(struct pollfd){.fd = ready[0]}, 1, -1) == 1 && close(ready[0]) == 0); /* POLLHUP: it is ready */
	return child;
}

/* near and far: connected to each other. */
static inline void unix_ends(int type)
{
	int ends[2];

	must(socketpair(AF_UNIX, type, 0, ends) == 0);
	near = ends[0], far = ends[1];
}

static inline struct sockaddr_in listen_on(int fd, int backlog)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;

	must(bind(fd, (struct sockaddr *)&address, length) == 0 && listen(fd, backlog) == 0);
	must(getsockname(fd, (struct sockaddr *)&address, &length) == 0);
	return address;
}

static inline void tcp_ends(void)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in address = listen_on(listener, 1);

	must((near = socket(AF_INET, SOCK_STREAM, 0)) >= 0);
	must(connect(near, (struct sockaddr *)&address, sizeof address) == 0);
	must((far = accept(listener, NULL, NULL)) >= 0);
}

static inline void pipe_ends(int *reading, int *writing)
{
	int ends[2];

	must(pipe(ends) == 0);
	*reading = ends[0], *writing = ends[1];
}

static inline void *memory(long length)
{
	void *mapped = mmap(NULL, (size_t)length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			    -1, 0);

	must(mapped != MAP_FAILED);
	return mapped;
}

/* Data of which no part is like the one beside it: a byte that is missing, or sent twice, shows. */
static inline void make_bytes(long length)
{
	bytes = memory(size = length);
	for (unsigned int i = 0; i < length / sizeof i; i++)
		memcpy(bytes + i * sizeof i, &(unsigned int){i * 2654435761u}, sizeof i);
}

static inline int new_file(const char *name, long length)
{
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	must(fd >= 0 && ftruncate(fd, length) == 0);
	return fd;
}

static inline int file_of_bytes(const char *name)
{
	int fd = new_file(name, size);

	must(pwrite(fd, bytes, (size_t)size, 0) == size);
	return fd;
}

/* Whether the end is ready; false also if nothing comes because the call has ended. */
static inline bool ready_for(int fd, short events)
{
	struct pollfd wanted = {.fd = fd, .events = events};
	bool was_done;

	do
		was_done = done;
	while (poll(&wanted, 1, 20) == 0 && !was_done);
	return (wanted.revents & events) != 0;
}

/* Takes all that the call sends, which is "bytes". */
static inline void take_all(void)
{
	static char taken[128 * KIB];
	ssize_t length;

	for (long place = 0; place < size && ready_for(far, POLLIN); place += length) {
		must((length = read(far, taken, sizeof taken)) > 0);
		must(memcmp(taken, bytes + place, (size_t)length) == 0);
		received(length);
	}
}

/* Sends "bytes" from a place on, as long as the call takes them. */
static inline void give_from(long place)
{
	ssize_t length;

	for (; place < size && ready_for(far, POLLOUT); place += length) {
		must((length = send(far, bytes + place, (size_t)(size - place), MSG_DONTWAIT)) > 0);
		sent(length);
	}
}

/* Until nothing more can be sent, whatever the kernel moves and acknowledges meanwhile. */
static inline void fill_socket(void)
{
	static const char filling[16 * KIB];

	for (int looks = 0; looks < 60; looks++) {
		for (size_t part = sizeof filling; part > 0; part /= 16)
			while (sent(send(near, filling, part, MSG_DONTWAIT)) > 0)
				looks = 0;
		usleep(10000);
	}
}

static inline void fill_pipe(void)
{
	static const char filling[4 * KIB];

	must(fcntl(near, F_SETFL, O_NONBLOCK) == 0);
	while (write(near, filling, sizeof filling) > 0)
		continue;
	must(fcntl(near, F_SETFL, 0) == 0);
}

#endif
