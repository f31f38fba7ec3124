/* SPDX-License-Identifier: GPL-2.0-or-later
 * Calls that wait for events or for a time to pass. See blocking.h. */
#include <sys/epoll.h>
#include <sys/select.h>

#include "blocking.h"

enum { TOLD_AS_WRONG = 1000 };

static const struct timespec untouched = {11, 12};

static bool same(struct timespec one, struct timespec other)
{
	return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
}

static void new_pipe(void)
{
	pipe_ends(&near, &far);
}

static void write_one(void)
{
	must(write(far, "x", 1) == 1);
}

static long by_poll(void)
{
	return poll(&(struct pollfd){.fd = -1}, 1, (int)limit_ms);
}

static long by_poll_of_pipe(void)
{
	return poll(&(struct pollfd){.fd = near, .events = POLLIN}, 1, -1);
}

/* The C library hands the kernel a copy. */
static long by_ppoll(void)
{
	struct timespec time = limit();
	long ready = ppoll(NULL, 0, &time, NULL);

	return same(time, limit()) ? ready : TOLD_AS_WRONG;
}

/* The kernel writes down what is left. */
static long by_ppoll_call(void)
{
	struct timespec time = limit();
	long ready = syscall(SYS_ppoll, NULL, 0, &time, NULL, 0);

	return same(time, (struct timespec){0}) ? ready : TOLD_AS_WRONG;
}

static long by_select(void)
{
	struct timeval time = limit_us();
	long ready = select(0, NULL, NULL, NULL, &time);

	return time.tv_sec == 0 && time.tv_usec == 0 ? ready : TOLD_AS_WRONG;
}

/* It ends early: what is left and what has passed are the limit. */
static long by_select_of_pipe(void)
{
	fd_set readable;
	struct timeval time = {PATIENCE, 0};
	double start = now();

	FD_ZERO(&readable);
	FD_SET(near, &readable);
	long ready = select(near + 1, &readable, NULL, NULL, &time);
	double all = (double)time.tv_sec + (double)time.tv_usec / 1e6 + now() - start;
	return all > PATIENCE - 0.2 && all < PATIENCE + 0.2 ? ready : TOLD_AS_WRONG;
}

static long by_ppoll_of_pipe(void)
{
	struct timespec time = {PATIENCE, 0};
	double start = now();
	long ready = syscall(SYS_ppoll, &(struct pollfd){.fd = near, .events = POLLIN}, 1, &time, NULL, 0);
	double all = (double)time.tv_sec + (double)time.tv_nsec / 1e9 + now() - start;

	return all > PATIENCE - 0.2 && all < PATIENCE + 0.2 ? ready : TOLD_AS_WRONG;
}

static long by_pselect(void)
{
	struct timespec time = limit();
	long ready = pselect(0, NULL, NULL, NULL, &time, NULL);

	return same(time, limit()) ? ready : TOLD_AS_WRONG;
}

static void new_epoll(void)
{
	must((near = epoll_create1(0)) >= 0);
}

static void epoll_of_pipe(void)
{
	int reading;

	pipe_ends(&reading, &far);
	new_epoll();
	must(epoll_ctl(near, EPOLL_CTL_ADD, reading, &(struct epoll_event){.events = EPOLLIN}) == 0);
}

static long by_epoll_wait(void)
{
	struct epoll_event event;

	return epoll_wait(near, &event, 1, (int)limit_ms);
}

static long by_epoll_wait_for_ever(void)
{
	struct epoll_event event;

	return epoll_wait(near, &event, 1, -1);
}

static long by_epoll_pwait(void)
{
	struct epoll_event event;
	sigset_t none;

	sigemptyset(&none);
	return epoll_pwait(near, &event, 1, (int)limit_ms, &none);
}

static long by_epoll_pwait2(void)
{
	struct epoll_event event;
	struct timespec time = limit();

	return syscall(SYS_epoll_pwait2, near, &event, 1, &time, NULL, 0);
}

/* Only a signal makes it write what is left. */
static long by_nanosleep(void)
{
	struct timespec time = limit(), left = untouched;
	long failed = nanosleep(&time, &left);

	return same(left, untouched) ? failed : TOLD_AS_WRONG;
}

static long by_clock_nanosleep(void)
{
	struct timespec time = limit();

	return clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
}

static long by_clock_nanosleep_with_rest(void)
{
	struct timespec time = limit(), left = untouched;
	long failed = clock_nanosleep(CLOCK_REALTIME, 0, &time, &left);

	return same(left, untouched) ? failed : TOLD_AS_WRONG;
}

/* The time that was asked for and the rest in one place. */
static long by_nanosleep_in_place(void)
{
	struct timespec time = limit();
	long failed = nanosleep(&time, &time);

	return same(time, limit()) ? failed : TOLD_AS_WRONG;
}

static long by_clock_nanosleep_until(void)
{
	struct timespec end = deadline(CLOCK_REALTIME);

	return clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &end, NULL);
}

static long by_usleep(void)
{
	return usleep((useconds_t)limit_ms * 1000);
}

int main(int argc, char **argv)
{
	static const struct row rows[] = {
		EXPIRES("poll", NULL, by_poll),
		ENDS("poll-pipe", new_pipe, by_poll_of_pipe, write_one),
		EXPIRES("ppoll", NULL, by_ppoll),
		EXPIRES("ppoll-call", NULL, by_ppoll_call),
		ENDS("ppoll-pipe", new_pipe, by_ppoll_of_pipe, write_one),
		EXPIRES("select", NULL, by_select),
		ENDS("select-pipe", new_pipe, by_select_of_pipe, write_one),
		EXPIRES("pselect", NULL, by_pselect),
		EXPIRES("epoll_wait", new_epoll, by_epoll_wait),
		ENDS("epoll_wait-pipe", epoll_of_pipe, by_epoll_wait_for_ever, write_one),
		EXPIRES("epoll_pwait", new_epoll, by_epoll_pwait),
		EXPIRES("epoll_pwait2", new_epoll, by_epoll_pwait2),
		EXPIRES("nanosleep", NULL, by_nanosleep),
		EXPIRES("nanosleep-in-place", NULL, by_nanosleep_in_place),
		EXPIRES("clock_nanosleep", NULL, by_clock_nanosleep),
		EXPIRES("clock_nanosleep-rest", NULL, by_clock_nanosleep_with_rest),
		EXPIRES("clock_nanosleep-abs", NULL, by_clock_nanosleep_until),
		EXPIRES("usleep", NULL, by_usleep),
		{0},
	};

	return make_one_of(rows, argc, argv);
}
