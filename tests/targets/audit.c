/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: audit MODE
 * The ways in which a TCP connection can end, each of which leaves the kernel's counters (TCP_INFO) in another state.
 */
#include "sockets.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>

static char bytes[70000];
static int pair[2];

static void open_closes_first(void)
{
	tcp_pair(pair);
	sent(send(pair[0], bytes, 211, 0));
	received(recv(pair[1], bytes, 211, MSG_WAITALL));
	close(pair[0]);
	must(received(recv(pair[1], bytes, 211, 0)) == 0);
	close(pair[1]);
}

static void accepted_closes_first(void)
{
	tcp_pair(pair);
	sent(send(pair[1], bytes, 211, 0));
	received(recv(pair[0], bytes, 211, MSG_WAITALL));
	close(pair[1]);
	must(received(recv(pair[0], bytes, 211, 0)) == 0);
	close(pair[0]);
}

/* Both directions are shut down, in turn, before anything is closed. */
static void shut_down(void)
{
	tcp_pair(pair);
	sent(send(pair[0], bytes, 211, 0));
	must(shutdown(pair[0], SHUT_WR) == 0);
	received(recv(pair[1], bytes, 211, MSG_WAITALL));
	must(received(recv(pair[1], bytes, 211, 0)) == 0);
	sent(send(pair[1], bytes, 503, 0));
	must(shutdown(pair[1], SHUT_WR) == 0);
	received(recv(pair[0], bytes, 503, MSG_WAITALL));
	must(received(recv(pair[0], bytes, 211, 0)) == 0);
	close(pair[0]);
	close(pair[1]);
}

/* 111 bytes are never read: the kernel resets the connection. */
static void unread(void)
{
	tcp_pair(pair);
	sent(send(pair[0], bytes, 211, 0));
	received(recv(pair[1], bytes, 100, MSG_WAITALL));
	close(pair[1]);
	await_event(pair[0], POLLHUP);
	close(pair[0]);
}

/* More than the receiver has room for: a part is still in the sender's queue when it closes. */
static void unsent(void)
{
	ssize_t once;

	tcp_pair(pair);
	while ((once = send(pair[0], bytes, 69997, MSG_DONTWAIT)) > 0)
		sent(once);
	close(pair[0]);
	received(recv(pair[1], bytes, 211, MSG_WAITALL));
	close(pair[1]);
}

/* Nothing is closed: exit does it. */
static void left_open(void)
{
	tcp_pair(pair);
	sent(send(pair[0], bytes, 211, 0));
	received(recv(pair[1], bytes, 211, MSG_WAITALL));
}

static void closed_by_exec(void)
{
	tcp_pair(pair);
	must(fcntl(pair[0], F_SETFD, FD_CLOEXEC) == 0 && fcntl(pair[1], F_SETFD, FD_CLOEXEC) == 0);
	must(send(pair[0], bytes, 211, 0) == 211);
	must(recv(pair[1], bytes, 211, MSG_WAITALL) == 211);
	execl("/proc/self/exe", "audit", "executed", NULL);
	must(!"execl");
}

static void executed(void)
{
	sent(211);
	received(211);
}

/* Two processes own the sockets; the parent closes them first, the child moves bytes after that. */
static void shared(void)
{
	int go[2], status;
	pid_t child;
	char byte = 0;

	must(pipe(go) == 0);
	tcp_pair(pair);
	sent(send(pair[0], bytes, 101, 0));
	child = fork();
	must(child >= 0);
	if (child == 0) {
		must(read(go[0], &byte, 1) == 1);
		must(send(pair[0], bytes, 110, 0) == 110);
		must(recv(pair[1], bytes, 211, MSG_WAITALL) == 211);
		_exit(0);
	}
	close(pair[0]);
	close(pair[1]);
	must(write(go[1], &byte, 1) == 1);
	must(waitpid(child, &status, 0) == child && status == 0);
	sent(110);
	received(211);
}

static void dupped(void)
{
	int other;

	tcp_pair(pair);
	other = dup(pair[0]);
	sent(send(pair[0], bytes, 101, 0));
	close(pair[0]);
	sent(send(other, bytes, 110, 0));
	received(recv(pair[1], bytes, 211, MSG_WAITALL));
	close(other);
	close(pair[1]);
}

static void *close_and_pause(void *fd)
{
	close(*(int *)fd);
	pause();
	return fd;
}

/* Another thread closes a number and is not heard of again; the next connection gets the number, and ends too. */
static void number_closed_elsewhere(void)
{
	pthread_t thread;
	int number;

	tcp_pair(pair);
	number = pair[0];
	sent(send(pair[0], bytes, 101, 0));
	received(recv(pair[1], bytes, 101, MSG_WAITALL));
	must(pthread_create(&thread, NULL, close_and_pause, &number) == 0);
	while (fcntl(number, F_GETFD) >= 0)
		poll(NULL, 0, 1);
	close(pair[1]);
	tcp_pair(pair);
	must(number == pair[0] || number == pair[1]);
	sent(send(pair[0], bytes, 211, 0));
	received(recv(pair[1], bytes, 211, MSG_WAITALL));
	close(pair[0]);
	close(pair[1]);
}

static int others[2];

static void *close_and_tell(void *fd)
{
	close(*(int *)fd);
	must(send(others[0], "x", 1, 0) == 1);
	pause();
	return fd;
}

static void wait_for_close(int end)
{
	close(end);
	received(recv(others[1], bytes, 1, 0));
	all_sent++;
}

/* Another thread's close lasts: its number is free, but what is sent is not taken yet (SO_LINGER). Meanwhile the next
 * connection gets the number, and is used. Then, or when that close has ended, so much is transferred that calls are
 * counted inside by then, and that connection ends. */
static void number_closed(int ended)
{
	static const char more_than_fits[1 << 22];
	const struct linger patience = {.l_onoff = 1, .l_linger = 60};
	pthread_t thread;
	int lasting[2], number, small = 4096;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, others) == 0);
	tcp_pair(lasting);
	number = lasting[0];
	must(setsockopt(lasting[1], SOL_SOCKET, SO_RCVBUF, &small, sizeof small) == 0);
	must(setsockopt(number, SOL_SOCKET, SO_LINGER, &patience, sizeof patience) == 0);
	sent(send(number, more_than_fits, sizeof more_than_fits, MSG_DONTWAIT));
	must(pthread_create(&thread, NULL, close_and_tell, &number) == 0);
	while (fcntl(number, F_GETFD) >= 0)
		poll(NULL, 0, 1);
	tcp_pair(pair);
	must(number == pair[0] || number == pair[1]);
	sent(send(pair[0], bytes, 211, 0));
	received(recv(pair[1], bytes, 211, MSG_WAITALL));
	if (ended)
		wait_for_close(lasting[1]);
	for (int i = 0; i < 200; i++) {
		sent(send(others[0], bytes, 1, 0));
		received(recv(others[1], bytes, 1, 0));
	}
	close(pair[0]);
	close(pair[1]);
	if (!ended)
		wait_for_close(lasting[1]);
}

static void number_being_closed(void)
{
	number_closed(0);
}

static void number_closed_before(void)
{
	number_closed(1);
}

/* Many connections one after another, under the same fd numbers. */
static void many(void)
{
	for (int i = 1; i <= 20; i++) {
		tcp_pair(pair);
		sent(send(pair[0], bytes, (size_t)(100 * i + 1), 0));
		received(recv(pair[1], bytes, (size_t)(100 * i + 1), MSG_WAITALL));
		close(pair[i % 2]);
		close(pair[1 - i % 2]);
	}
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = {
		{"open_closes_first", open_closes_first},
		{"accepted_closes_first", accepted_closes_first},
		{"shut_down", shut_down},
		{"unread", unread},
		{"unsent", unsent},
		{"left_open", left_open},
		{"closed_by_exec", closed_by_exec},
		{"executed", executed},
		{"shared", shared},
		{"dupped", dupped},
		{"number_closed_elsewhere", number_closed_elsewhere},
		{"number_being_closed", number_being_closed},
		{"number_closed_before", number_closed_before},
		{"many", many},
		{NULL, NULL},
	};

	return run_mode(modes, argc > 1 ? argv[1] : NULL);
}
