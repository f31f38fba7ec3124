/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * PTRACE_INTERRUPT wakes a thread as a stop signal does (signal(7), "Interruption of system calls and library functions
 * by stop signals"). What becomes of the call that it sleeps in:
 *
 *   made again by the kernel, which keeps what is left of a timeout:  the ones below
 *   EINTR:                                                    epoll_wait, semop, sigtimedwait, io_getevents ...
 *   returns what it has done until then:                      a write that waits for room, recv with MSG_WAITALL ...
 *   made again, but with its whole timeout, or EINTR:         on a socket with SO_RCVTIMEO or SO_SNDTIMEO
 *   made again, but "rem" is written, which it would not be:  nanosleep and clock_nanosleep
 *
 * So only those are interrupted that are known to be of the first kind.
 */
#include "machine/interrupt.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "machine/pidfd.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449 /* Linux 5.16 */
#endif

#define COMPAT_STACK_END 0x100000000u /* a 32-bit thread's stack lies below; its calls have other numbers */

/* Without a timeout of its own, and without a least amount that it waits for? */
static bool waits_plainly(int fd, int option)
{
	struct timeval timeout = {0};
	socklen_t length = sizeof(timeout);
	int least = 1;

	if (getsockopt(fd, SOL_SOCKET, option, &timeout, &length) < 0)
		return true; /* no socket */
	if (timeout.tv_sec || timeout.tv_usec)
		return false;
	length = sizeof(least);
	return option != SO_RCVTIMEO || getsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &least, &length) < 0 || least <= 1;
}

static bool fd_waits_plainly(const struct tracee *tracee, int fd, int option)
{
	/* Its own: the leader may have exited, and has no fds then. Before Linux 6.9 only the leader has a pidfd. */
	int own = pidfd_open_thread(tracee->tid), pidfd = own < 0 ? pidfd_open_thread(tracee->group->tgid) : own;
	int copy = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	bool plainly = copy >= 0 && waits_plainly(copy, option);

	if (copy >= 0)
		close(copy);
	if (pidfd >= 0)
		close(pidfd);
	return plainly;
}

static bool is_plain_futex(uint64_t operation)
{
	switch (operation & FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		return true;
	default:
		return false; /* FUTEX_WAIT_REQUEUE_PI returns EAGAIN */
	}
}

/* Calls on a socket, pipe, terminal ... that wait until there is something. */
static bool is_plain_transfer(const struct tracee *tracee, const struct proc_place *place)
{
	const int fd = (int)place->args[0];

	switch (place->number) {
	case SYS_recvfrom:
		return !(place->args[3] & MSG_WAITALL) && fd_waits_plainly(tracee, fd, SO_RCVTIMEO);
	case SYS_recvmsg:
		return !(place->args[2] & MSG_WAITALL) && fd_waits_plainly(tracee, fd, SO_RCVTIMEO);
	case SYS_read:
	case SYS_readv:
	case SYS_accept:
	case SYS_accept4:
		return fd_waits_plainly(tracee, fd, SO_RCVTIMEO);
	case SYS_connect:
		return fd_waits_plainly(tracee, fd, SO_SNDTIMEO);
	default:
		return false;
	}
}

bool interrupt_is_harmless(const struct tracee *tracee, const struct proc_place *place)
{
	if (place->number < 0 || place->stack < COMPAT_STACK_END)
		return true; /* in no call; or in one of which nothing is known here */
	switch (place->number) {
	case SYS_ppoll:
	case SYS_pselect6:
	case SYS_futex_waitv:
	case SYS_wait4:
	case SYS_waitid:
	case SYS_flock:
	case SYS_fcntl:
	case SYS_rt_sigsuspend:
	case SYS_msgrcv:
	case SYS_msgsnd:
	case SYS_mq_timedsend:
	case SYS_mq_timedreceive:
	case SYS_openat:
	/* These can't be interrupted: the kernel lets them end first. */
	case SYS_clone:
	case SYS_clone3:
	case SYS_execve:
	case SYS_exit:
	case SYS_exit_group:
#if defined(__x86_64__) /* the older names of such calls */
	case SYS_poll:
	case SYS_select:
	case SYS_pause:
	case SYS_open:
	case SYS_fork:
	case SYS_vfork:
#endif
		return true;
	case SYS_futex:
		return is_plain_futex(place->args[1]);
	case SYS_nanosleep:
		return !place->args[1];
	case SYS_clock_nanosleep:
		return place->args[1] & TIMER_ABSTIME || !place->args[3];
	default:
		return is_plain_transfer(tracee, place);
	}
}

void interrupt_look(struct tracee *tracee)
{
	tracee->attach.user_ticks = proc_user_ticks(tracee->tid);
	tracee->attach.kernel_ticks = proc_kernel_ticks(tracee->tid);
}

/* What runs all the time, and not in user mode, may be a call that takes long: getrandom, copy_file_range ... One tick
 * may be told of user mode though there was none, for the kernel shares out what it has measured by what it has seen at
 * its ticks (cputime_adjust() of kernel/sched/cputime.c). */
bool interrupt_was_in_user_mode(const struct tracee *tracee)
{
	const int64_t user = proc_user_ticks(tracee->tid) - tracee->attach.user_ticks;

	return user > 1 || (user == 1 && proc_kernel_ticks(tracee->tid) == tracee->attach.kernel_ticks);
}

enum interrupt interrupt_gently(const struct tracee *tracee, struct proc_place *place)
{
	int sleeps = proc_place(tracee->tid, place);

	if (sleeps == 1 && !interrupt_is_harmless(tracee, place))
		return INTERRUPT_SLEEPS;
	if (sleeps == 0 && !interrupt_was_in_user_mode(tracee))
		return INTERRUPT_RUNS;
	ptrace(PTRACE_INTERRUPT, tracee->tid, 0, 0);
	return INTERRUPT_SENT;
}
