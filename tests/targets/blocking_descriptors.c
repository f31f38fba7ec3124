/* SPDX-License-Identifier: GPL-2.0-or-later
 * Calls on what is neither a socket nor a pipe: terminals, files that count or tell events, locks. See blocking.h. */
#include <pty.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include "blocking.h"

enum { SHORT = 9 };

static pid_t child;

static void terminal(void)
{
	must(openpty(&far, &near, NULL, NULL, NULL) == 0);
	memcpy(bytes = memory(SHORT), "hi\n", 3);
}

static long read_line(void)
{
	char line[SHORT];

	return read(near, line, sizeof line);
}

static void type_a_line(void)
{
	must(write(far, bytes, 3) == 3);
}

static void event(void)
{
	must((near = eventfd(0, 0)) >= 0);
}

static void full_event(void)
{
	must((near = eventfd(0, 0)) >= 0 && write(near, &(unsigned long long){~1ull}, 8) == 8);
}

static void timer(void)
{
	must((near = timerfd_create(CLOCK_MONOTONIC, 0)) >= 0);
}

static long read_number(void)
{
	unsigned long long number;

	return read(near, &number, 8) == 8 ? (long)number : -1;
}

static long read_timer(void)
{
	must(timerfd_settime(near, 0, &(struct itimerspec){.it_value = limit()}, NULL) == 0);
	return read_number();
}

static void write_number(void)
{
	must(write(near, &(unsigned long long){5}, 8) == 8);
}

static long add_one(void)
{
	return write(near, &(unsigned long long){1}, 8);
}

static void take_number(void)
{
	must(read(near, &(unsigned long long){0}, 8) == 8);
}

static void watched_folder(void)
{
	must((near = inotify_init1(0)) >= 0 && inotify_add_watch(near, ".", IN_CREATE) >= 0);
}

static long read_event(void)
{
	struct {
		struct inotify_event event;
		char name[256];
	} all;

	return read(near, &all, sizeof all) > 0 ? (long)all.event.mask : -1;
}

static void make_file(void)
{
	must(close(new_file("made", 1)) == 0);
}

static void signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	must(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0 && (near = signalfd(-1, &set, 0)) >= 0);
}

static long read_signal(void)
{
	struct signalfd_siginfo info;

	return read(near, &info, sizeof info) == sizeof info ? (long)info.ssi_signo : -1;
}

static void send_signal(void)
{
	must(pthread_kill(caller_thread, SIGUSR2) == 0);
}

/* near and far: the same file, opened twice. */
static void two_opens(void)
{
	far = new_file("locked", 1);
	must((near = open("locked", O_RDWR)) >= 0);
}

static void locked(void)
{
	two_opens();
	must(flock(far, LOCK_EX) == 0);
}

static long lock(void)
{
	return flock(near, LOCK_EX);
}

static void unlock(void)
{
	must(flock(far, LOCK_UN) == 0);
}

static void locked_by_description(void)
{
	two_opens();
	must(fcntl(far, F_OFD_SETLK, &(struct flock){.l_type = F_WRLCK}) == 0);
}

static long lock_description(void)
{
	return fcntl(near, F_OFD_SETLKW, &(struct flock){.l_type = F_WRLCK});
}

static void unlock_description(void)
{
	must(fcntl(far, F_OFD_SETLK, &(struct flock){.l_type = F_UNLCK}) == 0);
}

static void lock_far(void)
{
	must(fcntl(far, F_SETLK, &(struct flock){.l_type = F_WRLCK}) == 0);
}

static void locked_by_child(void)
{
	two_opens();
	child = waiting_child(lock_far);
}

static long lock_region(void)
{
	return fcntl(near, F_SETLKW, &(struct flock){.l_type = F_WRLCK});
}

static void kill_child(void)
{
	must(kill(child, SIGKILL) == 0);
}

static void fifo(void)
{
	must(mkfifo("fifo", 0600) == 0);
}

static long open_to_read(void)
{
	return open("fifo", O_RDONLY) >= 0 ? 0 : -1;
}

static long open_to_write(void)
{
	return open("fifo", O_WRONLY) >= 0 ? 0 : -1;
}

static void open_other_end(void)
{
	must(open("fifo", O_RDWR) >= 0);
}

int main(int argc, char **argv)
{
	static const struct row rows[] = {
		ENDS("read-tty", terminal, read_line, type_a_line),
		ENDS("read-eventfd", event, read_number, write_number),
		ENDS("write-eventfd", full_event, add_one, take_number),
		ENDS("read-inotify", watched_folder, read_event, make_file),
		EXPIRES("read-timerfd", timer, read_timer),
		ENDS("read-signalfd", signals, read_signal, send_signal),
		ENDS("flock", locked, lock, unlock),
		ENDS("ofd-setlkw", locked_by_description, lock_description, unlock_description),
		ENDS("setlkw", locked_by_child, lock_region, kill_child),
		ENDS("open-fifo", fifo, open_to_read, open_other_end),
		ENDS("open-fifo-to-write", fifo, open_to_write, open_other_end),
		{0},
	};

	return make_one_of(rows, argc, argv);
}
