/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Embedded in another program ptmon has nothing to do with its signals, but for the tick, which is sent to the
 * tracer's thread alone. All else of this is for ptmon as a program of its own.
 *
 * Signals to ptmon are blocked and taken by sigtimedwait at each tick. So none is lost between a look and a blocking
 * wait, their siginfo stays whole, and there is no handler that would need a global.
 *
 * Launch: SIGINT and the like are meant for the program. From the terminal, or sent to the process group, it has got
 * them itself; sent to ptmon's pid alone it has not. They are told apart by waiting one tick: what the program itself
 * has got by then (its signal-delivery-stop was seen) is not sent again.
 *
 * Job control: the shell watches ptmon, not the program. ptmon lets SIGTSTP wait, and stops itself once the program has
 * stopped, so that the shell sees a stopped job exactly when there is one. SIGCONT to the group wakes both.
 *
 * SIGHUP, attached: one that somebody sends is how logrotate and its like ask for a log to be opened anew; one that
 * comes from the terminal's end asks ptmon to end, as any other signal does. Where it is ignored from the start on it
 * ends nothing: a signal that is blocked is queued although it is ignored, so that has to be looked at.
 */
#include "loop/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loop/wait.h"
#include "machine/kernel_action.h"

#define STOP_PATIENCE_NS (2 * NSEC_PER_SEC) /* from the terminal's SIGTSTP to the program's stop */
#define FORWARD_PATIENCE_NS NSEC_PER_SEC
#define TICK_SIGNAL SIGRTMAX

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static const int blocked[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGTSTP, SIGTTIN, SIGTTOU};

int pt_blocked_signal(unsigned int index)
{
	return index < sizeof(blocked) / sizeof(blocked[0]) ? blocked[index] : 0;
}

static void on_tick(int signal)
{
	(void)signal; /* that the wait returns with EINTR is all */
}

static bool has_terminal(void)
{
	int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* What ptmon answers itself, SIGCHLD, and the tick. */
static void install(struct pt_tracer *t)
{
	struct signals *s = &t->signals;
	const struct sigaction tick = {.sa_handler = on_tick};
	const struct sigaction no_stops = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDSTOP};
	struct sigaction hangup;
	sigset_t tick_set;

	s->deaf = sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler == SIG_IGN;
	s->has_terminal = t->options.reopens && has_terminal();
	sigemptyset(&s->blocked);
	for (unsigned int i = 0; pt_blocked_signal(i) && !t->options.embedded; i++)
		sigaddset(&s->blocked, pt_blocked_signal(i));
	pthread_sigmask(SIG_BLOCK, &s->blocked, &s->original_mask);
	sigemptyset(&tick_set);
	sigaddset(&tick_set, TICK_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &tick_set, NULL);
	/* Without SA_NOCLDSTOP each stop costs a signal. Embedded, ptmon must leave that to its host, whose handler
	 * goes on being called, and where SIGCHLD is ignored the stops and the end of a tracee are reported to wait4
	 * all the same (do_notify_parent() of kernel/signal.c reaps no task that is traced). */
	sigaction(SIGCHLD, t->options.embedded ? NULL : &no_stops, &s->original_chld);
	sigaction(TICK_SIGNAL, &tick, &s->original_tick);
	s->installed = true;
}

int signals_create(struct pt_tracer *t)
{
	struct signals *s = &t->signals;
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = TICK_SIGNAL};

	install(t);
	event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
	if (timer_create(CLOCK_MONOTONIC, &event, &s->timer) < 0)
		return -errno;
	s->timer_made = true;
	return 0;
}

void signals_destroy(struct pt_tracer *t)
{
	struct signals *s = &t->signals;

	if (s->timer_made)
		timer_delete(s->timer);
	if (!s->installed)
		return;
	/* A host may have a second tracer in another thread, and this one may have been the first: its ticks must not
	 * find the default, which is to end the program. So where it is embedded it leaves its handler there, which
	 * does nothing. */
	if (!t->options.embedded || s->original_tick.sa_handler != SIG_DFL)
		sigaction(TICK_SIGNAL, &s->original_tick, NULL);
	if (!t->options.embedded)
		sigaction(SIGCHLD, &s->original_chld, NULL);
	pthread_sigmask(SIG_SETMASK, &s->original_mask, NULL);
}

static void ignore_alone(uint64_t ignored)
{
	for (int signal = 1; signal <= SIGRTMAX; signal++) {
		const struct kernel_action action = {.handler = ignored >> (signal - 1) & 1 ? SIG_IGN : SIG_DFL};

		syscall(SYS_rt_sigaction, signal, &action, NULL, sizeof(uint64_t));
	}
}

void signals_restore_for_exec(const struct pt_tracer *t)
{
	const struct sigaction standard = {.sa_handler = SIG_DFL};

	if (t->options.ignored_known) {
		ignore_alone(t->options.ignored);
	} else {
		/* Python ignores these two from its start on; what it found is not known, the default is the rule. */
		sigaction(SIGPIPE, &standard, NULL);
		sigaction(SIGXFSZ, &standard, NULL);
		sigaction(SIGCHLD, &t->signals.original_chld, NULL);
		sigaction(TICK_SIGNAL, &t->signals.original_tick, NULL);
	}
	/* The C library's function leaves the two signals that are its own out of the set. */
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &t->signals.original_mask, NULL, sizeof(uint64_t));
}

static void set_timer(struct pt_tracer *t, long ns)
{
	/* It repeats: a tick that comes just before the wait begins is made good by the next. */
	const struct itimerspec every = {.it_interval.tv_nsec = ns, .it_value.tv_nsec = ns};

	timer_settime(t->signals.timer, 0, &every, NULL);
}

void signals_start_ticks(struct pt_tracer *t)
{
	set_timer(t, TICK_NS);
}

void signals_stop_ticks(struct pt_tracer *t)
{
	set_timer(t, 0);
}

void signals_note_delivered(struct pt_tracer *t, pid_t tid, int signal)
{
	siginfo_t info = {0};

	if (signal <= 0 || signal >= 65)
		return;
	ptrace(PTRACE_GETSIGINFO, tid, 0, &info);
	t->signals.delivered[signal] = t->now;
	t->signals.sender[signal] = info.si_pid;
}

static void stop_with_program(struct pt_tracer *t)
{
	if (!t->signals.stop_wanted || !t->first.stopped)
		return;
	if (t->now - t->signals.stop_wanted < STOP_PATIENCE_NS)
		kill(getpid(), SIGSTOP);
	t->signals.stop_wanted = 0;
}

void signals_first_stopped(struct pt_tracer *t)
{
	t->first.stopped = true;
	stop_with_program(t);
}

/* From a little before ptmon has taken its own: a group is signalled in any order. If it is from the same sender, from
 * longer before: on a busy machine ptmon may be late to take it. */
static bool has_got(const struct signals *s, int signal)
{
	const int64_t before = s->sender[signal] == s->forward_from ? FORWARD_PATIENCE_NS : 2 * TICK_NS;

	return s->delivered[signal] >= s->forward_since - before;
}

static void forward_pending(struct pt_tracer *t)
{
	struct signals *s = &t->signals;
	const int64_t since = t->now - s->forward_since;

	if (!s->forward || since < TICK_NS / 2)
		return;
	/* A race on a busy machine: a stop that nobody has looked at yet may be the delivery of this very signal. One
	 * that is still pending there does not become two. */
	if (since < FORWARD_PATIENCE_NS && wait_any_due(t))
		return;
	if (!has_got(s, s->forward))
		kill(t->first.pid, s->forward);
	s->forward = 0;
}

/* An attached ptmon gets SIGHUP. */
static void hang_up(struct pt_tracer *t, const siginfo_t *info)
{
	/* A shell passes the end of its terminal on to its jobs, by kill(2): by then the terminal is gone. One that was
	 * left to itself there (disown) may be asked by others later on. */
	const bool passed_on = info->si_pid == getsid(0) && t->signals.has_terminal && !has_terminal();

	if (t->options.reopens && info->si_code <= 0 && !passed_on)
		t->wants.reopen = true;
	else if (!t->signals.deaf)
		t->wants.end = SIGHUP;
}

static void take(struct pt_tracer *t, const siginfo_t *info)
{
	struct signals *s = &t->signals;
	int signal = info->si_signo;

	if (signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU) {
		s->stop_wanted = t->now;
		stop_with_program(t);
	} else if (!t->launched && signal == SIGHUP) {
		hang_up(t, info);
	} else if (!t->launched) {
		t->wants.end = signal;
	} else if (info->si_code <= 0 && info->si_pid != t->first.pid) {
		/* By kill(2), not by the terminal (SI_KERNEL), which reaches the program too; nor by the program. */
		s->forward = signal;
		s->forward_since = t->now;
		s->forward_from = info->si_pid;
	}
}

void signals_tick(struct pt_tracer *t)
{
	const struct timespec at_once = {0};
	siginfo_t info;

	if (t->options.embedded)
		return;
	forward_pending(t);
	while (sigtimedwait(&t->signals.blocked, &info, &at_once) > 0)
		take(t, &info);
}
