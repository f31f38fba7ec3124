/* SPDX-License-Identifier: GPL-2.0-or-later
 * What verifier.c shares with who watches it, and how it counts. */
#ifndef VERIFIER_H
#define VERIFIER_H

#include <signal.h>
#include <time.h>

#include "begin.h"

enum { RUNNING = 1, BROKEN, ENDED, MOST = 16, LARGEST = 1500 };

struct counts {
	atomic_ullong pid, sent, received, calls, errors;
};

static struct shared {
	atomic_ullong wanted, paused, state;
	atomic_ullong eintr;  /* epoll_wait calls that failed by EINTR, in a thread that no signal reaches */
	atomic_ullong rounds; /* messages that were answered */
	atomic_ullong ticks;  /* signal handlers that ran */
	struct counts parent, child;
} *shared;

static struct counts *counts;

static inline void broken(const char *what)
{
	shared->state = BROKEN;
	fprintf(stderr, "broken: %s: %s\n", what, strerror(errno));
	_exit(1);
}

#define expect(ok)                   \
	do {                         \
		if (!(ok))           \
			broken(#ok); \
	} while (0)

static inline ssize_t note(atomic_ullong *way, ssize_t moved)
{
	counts->calls++;
	if (moved < 0)
		counts->errors++;
	else
		*way += (unsigned long long)moved;
	return moved;
}

/* All of it, in parts and through interruptions. False at the end of the stream. */
static inline int all(int sending, int fd, char *bytes, size_t size, int how)
{
	for (size_t done = 0; done < size;) {
		ssize_t step;
		if (sending)
			step = note(&counts->sent, how ? send(fd, bytes + done, size - done, MSG_NOSIGNAL)
						       : write(fd, bytes + done, size - done));
		else
			step = note(&counts->received,
				    how ? recv(fd, bytes + done, size - done, 0) : read(fd, bytes + done, size - done));
		if (step == 0)
			return 0;
		expect(step > 0 || errno == EINTR);
		done += step > 0 ? (size_t)step : 0;
	}
	return 1;
}

static inline timer_t timer_of(int tid, int number)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = number};
	timer_t timer;
#ifdef sigev_notify_thread_id
	event.sigev_notify_thread_id = tid;
#else
	event._sigev_un._tid = tid;
#endif
	expect(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	return timer;
}

static inline void set_timer(timer_t timer, long microseconds)
{
	struct itimerspec every = {{0, microseconds * 1000}, {0, microseconds * 1000}};
	expect(timer_settime(timer, 0, &every, NULL) == 0);
}

static inline void set_timers(const timer_t *timers, int on)
{
	set_timer(timers[0], on ? 1700 : 0);
	set_timer(timers[1], on ? 2300 : 0);
}

#endif
