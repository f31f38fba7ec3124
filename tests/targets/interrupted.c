/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: interrupted MODE
 * Signals come while a call blocks on a TCP connection: signal(7), "Interruption of system calls". */
#include "sockets.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

static char bytes[97];
static int pair[2], other[2];
static sigjmp_buf out_of_handler;

/* SIGALRM every 20 ms, so that one is sure to come while the call blocks. */
static void tick(void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
	struct itimerval period = {{0, 20000}, {0, 20000}};

	must(sigaction(SIGALRM, &action, NULL) == 0);
	must(setitimer(ITIMER_REAL, &period, NULL) == 0);
}

static void stop_ticking(void)
{
	struct itimerval none = {0};

	must(setitimer(ITIMER_REAL, &none, NULL) == 0);
}

static void nothing(int signal)
{
	(void)signal;
}

static void write_at_the_fifth(int signal)
{
	static volatile sig_atomic_t ticks;

	(void)signal;
	if (++ticks == 5 && write(pair[0], bytes, 53) != 53)
		_exit(99);
}

static void eintr(void)
{
	tick(nothing, 0);
	must(recv(pair[1], bytes, 97, 0) == -1 && errno == EINTR);
	stop_ticking();
	sent(send(pair[0], bytes, 97, 0));
	received(recv(pair[1], bytes, 97, MSG_WAITALL));
}

/* Interrupted five times, restarted by the kernel each time: one call. */
static void restarted(void)
{
	tick(write_at_the_fifth, SA_RESTART);
	received(recv(pair[1], bytes, 97, 0));
	stop_ticking();
	sent(53);
}

/* Ignored signals: without a tracer they do not even wake the thread. */
static void ignored(void)
{
	struct sigevent window_changed = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGWINCH};
	struct itimerspec period = {{0, 5000000}, {0, 5000000}};
	timer_t timer;

	must(timer_create(CLOCK_MONOTONIC, &window_changed, &timer) == 0);
	must(timer_settime(timer, 0, &period, NULL) == 0);
	tick(write_at_the_fifth, SA_RESTART);
	received(read(pair[1], bytes, 97));
	stop_ticking();
	must(timer_delete(timer) == 0);
	sent(53);
}

/* SIGUSR1's handler blocks in a read of its own, which SIGALRM interrupts, whose handler ends it. */
static void write_to_other(int signal)
{
	static volatile sig_atomic_t ticks;

	(void)signal;
	if (++ticks == 3 && write(other[0], bytes, 31) != 31)
		_exit(99);
}

static void read_other(int signal)
{
	(void)signal;
	tick(write_to_other, SA_RESTART);
	if (read(other[1], bytes, 97) != 31 || write(pair[0], bytes, 53) != 53)
		_exit(99);
	stop_ticking();
}

static void nested(void)
{
	struct sigaction action = {.sa_handler = read_other, .sa_flags = SA_RESTART};
	struct sigevent user = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct itimerspec once = {.it_value = {0, 50000000}};
	timer_t timer;

	tcp_pair(other);
	must(sigaction(SIGUSR1, &action, NULL) == 0);
	must(timer_create(CLOCK_MONOTONIC, &user, &timer) == 0);
	must(timer_settime(timer, 0, &once, NULL) == 0);
	received(recv(pair[1], bytes, 97, 0));
	received(31);
	sent(31 + 53);
}

/* The handler does not return: the call neither returns nor is it restarted. */
static void jump(int signal)
{
	(void)signal;
	siglongjmp(out_of_handler, 1);
}

static void jumped(void)
{
	if (sigsetjmp(out_of_handler, 1) == 0) {
		tick(jump, SA_RESTART);
		recv(pair[1], bytes, 97, 0);
		must(!"recv returned");
	}
	stop_ticking();
	sent(send(pair[0], bytes, 53, 0));
	received(read(pair[1], bytes, 97));
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = {
		{"eintr", eintr},   {"restarted", restarted}, {"ignored", ignored},
		{"nested", nested}, {"jumped", jumped},	      {NULL, NULL},
	};

	tcp_pair(pair);
	return run_mode(modes, argc > 1 ? argv[1] : NULL);
}
