/* SPDX-License-Identifier: GPL-2.0-or-later
 * Calls that wait for another thread or process: futexes, signals, children. See blocking.h. */
#include <linux/futex.h>
#include <semaphore.h>

#include "blocking.h"

static atomic_uint word;
static pid_t child;

static long futex(int operation, unsigned int value, const struct timespec *time)
{
	return syscall(SYS_futex, &word, operation | FUTEX_PRIVATE_FLAG, value, time, NULL, FUTEX_BITSET_MATCH_ANY);
}

static long by_futex_for(void)
{
	struct timespec time = limit();

	return futex(FUTEX_WAIT, 0, &time);
}

static long by_futex_until(void)
{
	struct timespec end = deadline(CLOCK_MONOTONIC);

	return futex(FUTEX_WAIT_BITSET, 0, &end);
}

static long by_futex(void)
{
	return futex(FUTEX_WAIT, 0, NULL);
}

static void wake(void)
{
	word = 1;
	must(futex(FUTEX_WAKE, 1, NULL) >= 0);
}

static void owned_futex(void)
{
	word = (unsigned int)gettid();
}

static long by_futex_pi(void)
{
	return futex(FUTEX_LOCK_PI, 0, NULL);
}

static long by_futex_pi_until(void)
{
	struct timespec end = deadline(CLOCK_REALTIME);

	return futex(FUTEX_LOCK_PI, 0, &end);
}

static void give_up_futex(void)
{
	must(futex(FUTEX_UNLOCK_PI, 0, NULL) == 0);
}

static long futex_waitv(const struct timespec *end)
{
	struct futex_waitv one = {.uaddr = (size_t)&word, .flags = FUTEX_32 | FUTEX_PRIVATE_FLAG};

	return syscall(SYS_futex_waitv, &one, 1, 0, end, CLOCK_MONOTONIC);
}

static long by_futex_waitv(void)
{
	return futex_waitv(NULL);
}

static long by_futex_waitv_until(void)
{
	struct timespec end = deadline(CLOCK_MONOTONIC);

	return futex_waitv(&end);
}

static long by_sem_timedwait(void)
{
	static sem_t semaphore;
	struct timespec end = deadline(CLOCK_REALTIME);

	must(sem_init(&semaphore, 0, 0) == 0);
	return sem_timedwait(&semaphore, &end);
}

static long by_cond_timedwait(void)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
	struct timespec end = deadline(CLOCK_REALTIME);

	must(pthread_mutex_lock(&mutex) == 0);
	return pthread_cond_timedwait(&condition, &mutex, &end);
}

static void waiting_child_alone(void)
{
	child = waiting_child(NULL);
}

static long by_wait4(void)
{
	int status;

	return wait4(child, &status, 0, NULL) == child ? status : -1;
}

static long by_waitid(void)
{
	siginfo_t info;

	return waitid(P_PID, (id_t)child, &info, WEXITED);
}

static void kill_child(void)
{
	must(kill(child, SIGKILL) == 0);
}

static sigset_t user_signal(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	return set;
}

static void nothing(int signal)
{
	(void)signal;
}

static void blocked_signal(void)
{
	sigset_t set = user_signal();

	must(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0 && signal(SIGUSR2, nothing) != SIG_ERR);
}

static void send_signal(void)
{
	must(pthread_kill(caller_thread, SIGUSR2) == 0);
}

static long by_sigtimedwait(void)
{
	sigset_t set = user_signal();
	struct timespec time = limit();

	return sigtimedwait(&set, NULL, &time);
}

static long by_sigwaitinfo(void)
{
	sigset_t set = user_signal();
	siginfo_t info;

	return sigwaitinfo(&set, &info);
}

static long by_sigwait(void)
{
	sigset_t set = user_signal();
	int number = 0;

	return sigwait(&set, &number) == 0 ? number : -1;
}

static long by_sigsuspend(void)
{
	sigset_t none;

	sigemptyset(&none);
	return sigsuspend(&none);
}

static long by_pause(void)
{
	sigset_t set = user_signal();

	must(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
	return pause();
}

int main(int argc, char **argv)
{
	static const struct row rows[] = {
		EXPIRES("futex", NULL, by_futex_for),
		EXPIRES("futex-bitset", NULL, by_futex_until),
		ENDS("futex-wake", NULL, by_futex, wake),
		ENDS("futex-pi", owned_futex, by_futex_pi, give_up_futex),
		EXPIRES("futex-pi-until", owned_futex, by_futex_pi_until),
		EXPIRES("futex_waitv", NULL, by_futex_waitv_until),
		ENDS("futex_waitv-wake", NULL, by_futex_waitv, wake),
		EXPIRES("sem_timedwait", NULL, by_sem_timedwait),
		EXPIRES("cond_timedwait", NULL, by_cond_timedwait),
		EXPIRES("sigtimedwait", blocked_signal, by_sigtimedwait),
		ENDS("sigwaitinfo", blocked_signal, by_sigwaitinfo, send_signal),
		ENDS("sigwait", blocked_signal, by_sigwait, send_signal),
		ENDS("sigsuspend", blocked_signal, by_sigsuspend, send_signal),
		ENDS("pause", blocked_signal, by_pause, send_signal),
		ENDS("wait4", waiting_child_alone, by_wait4, kill_child),
		ENDS("waitid", waiting_child_alone, by_waitid, kill_child),
		{0},
	};

	return make_one_of(rows, argc, argv);
}
