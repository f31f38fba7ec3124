/* SPDX-License-Identifier: GPL-2.0-only
 * usage: connecting MODE
 * Connects that succeed, fail, are in progress; and sockets that come by their ends in other ways. */
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/un.h>

static char bytes[64];

/* An address of 127.0.0.1 at which nobody listens. */
static struct sockaddr_in nobody(void)
{
	int fd = bound(SOCK_STREAM);
	struct sockaddr_in address = name_of(fd);

	close(fd);
	return address;
}

static int tcp(int flags)
{
	int fd = socket(AF_INET, SOCK_STREAM | flags, 0);

	must(fd >= 0);
	return fd;
}

static int connecting(int fd, struct sockaddr_in address)
{
	return connect(fd, (struct sockaddr *)&address, sizeof address);
}

static int listening(void)
{
	int fd = bound(SOCK_STREAM);

	must(listen(fd, 4) == 0);
	return fd;
}

static int so_error(int fd)
{
	int error = -1;
	socklen_t length = sizeof error;

	must(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0);
	return error;
}

/* Three sockets, one address. */
static void refused(void)
{
	struct sockaddr_in address = nobody();

	for (int i = 0; i < 3; i++) {
		int fd = tcp(0);

		must(connecting(fd, address) == -1 && errno == ECONNREFUSED);
		close(fd);
	}
}

static void refused6(void)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = nobody().sin_port};
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	skip_unless(fd >= 0);
	address.sin6_addr = in6addr_loopback;
	must(connect(fd, (struct sockaddr *)&address, sizeof address) == -1);
	skip_unless(errno == ECONNREFUSED);
}

static void accepted(void)
{
	int pair[2];

	tcp_pair(pair);
	sent(send(pair[0], bytes, 11, 0));
	received(recv(pair[1], bytes, 11, MSG_WAITALL));
}

/* As most programs do it that wait for many things. */
static void in_progress(void)
{
	int listener = listening(), fd = tcp(SOCK_NONBLOCK), other;

	must(connecting(fd, name_of(listener)) == -1 && errno == EINPROGRESS);
	await_event(fd, POLLOUT);
	must(so_error(fd) == 0);
	other = accept(listener, NULL, NULL);
	sent(send(fd, bytes, 13, 0));
	received(recv(other, bytes, 13, MSG_WAITALL));
}

static int in_vain(void)
{
	int fd = tcp(SOCK_NONBLOCK);

	must(connecting(fd, nobody()) == -1 && errno == EINPROGRESS);
	await_event(fd, POLLERR);
	return fd;
}

static void in_progress_refused(void)
{
	int fd = in_vain();

	must(so_error(fd) == ECONNREFUSED);
	close(fd);
}

static void told_by_transfer(void)
{
	int fd = in_vain();

	must(recv(fd, bytes, 1, 0) == -1 && errno == ECONNREFUSED);
	close(fd);
}

static void told_by_connect(void)
{
	int fd = in_vain();

	must(connecting(fd, loopback(htons(9))) == -1 && errno == ECONNREFUSED);
	close(fd);
}

/* Once more says that it is. */
static void asked_by_connect(void)
{
	int listener = listening(), fd = tcp(SOCK_NONBLOCK);

	must(connecting(fd, name_of(listener)) == -1 && errno == EINPROGRESS);
	await_event(fd, POLLOUT);
	must(connecting(fd, name_of(listener)) == 0);
	must(connecting(fd, name_of(listener)) == -1 && errno == EISCONN);
}

/* A listener with so many waiting that nobody answers further ones. */
static struct sockaddr_in full(void)
{
	int listener = bound(SOCK_STREAM);

	must(listen(listener, 0) == 0);
	for (int i = 0; i < 4; i++)
		connecting(tcp(SOCK_NONBLOCK), name_of(listener));
	return name_of(listener);
}

static void abandoned(void)
{
	struct sockaddr_in address = full();
	int fd = tcp(SOCK_NONBLOCK);

	must(connecting(fd, address) == -1 && errno == EINPROGRESS);
	must(connecting(fd, address) == -1 && errno == EALREADY);
	close(fd);
}

static void timed_out(void)
{
	struct sockaddr_in address = full();
	int fd = tcp(0), once = 1;

	must(setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &once, sizeof once) == 0);
	must(connecting(fd, address) == -1 && errno == ETIMEDOUT);
}

static void nothing(int signal)
{
	(void)signal;
}

/* A signal ends the call, not the attempt. */
static void interrupted(void)
{
	struct sigaction action = {.sa_handler = nothing};
	struct itimerval soon = {.it_value.tv_usec = 50000};
	struct sockaddr_in address = full();
	int fd = tcp(0);

	must(sigaction(SIGALRM, &action, NULL) == 0);
	must(setitimer(ITIMER_REAL, &soon, NULL) == 0);
	must(connecting(fd, address) == -1 && errno == EINTR);
	must(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
	must(connecting(fd, address) == -1 && errno == EALREADY);
}

static struct sockaddr_un unix_name(const char *what)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "ptmon-%s-%d", what, (int)getpid());
	return name;
}

static int unix_connecting(int fd, struct sockaddr_un name)
{
	return connect(fd, (struct sockaddr *)&name, sizeof name);
}

static int unix_bound(int type, struct sockaddr_un name)
{
	int fd = socket(AF_UNIX, type, 0);

	must(fd >= 0 && bind(fd, (struct sockaddr *)&name, sizeof name) == 0);
	return fd;
}

/* One that is accepted, one that nobody has time for, one that nobody listens for. */
static void unix_sockets(void)
{
	int listener = unix_bound(SOCK_STREAM, unix_name("listener")),
	    silent = unix_bound(SOCK_STREAM, unix_name("silent"));
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), other, late;

	must(listen(listener, 0) == 0);
	must(unix_connecting(fd, unix_name("listener")) == 0);
	late = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	must(unix_connecting(late, unix_name("listener")) == -1 && errno == EAGAIN);
	must(unix_connecting(late, unix_name("silent")) == -1 && errno == ECONNREFUSED);
	other = accept(listener, NULL, NULL);
	sent(send(fd, bytes, 17, 0));
	received(recv(other, bytes, 17, MSG_WAITALL));
	close(silent);
}

static void pair(void)
{
	int ends[2];

	unix_pair(SOCK_STREAM, ends);
	sent(send(ends[0], bytes, 19, 0));
	received(recv(ends[1], bytes, 19, MSG_WAITALL));
}

/* One that is bound, one that is connected to it, one that only names it. */
static void udp(void)
{
	int server = bound(SOCK_DGRAM), client = socket(AF_INET, SOCK_DGRAM, 0), namer = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in address = name_of(server);

	connect_to(client, address);
	sent(send(client, bytes, 23, 0));
	received(recv(server, bytes, sizeof bytes, 0));
	sent(sendto(namer, bytes, 29, 0, (struct sockaddr *)&address, sizeof address));
	received(recv(server, bytes, sizeof bytes, 0));
	sent(sendto(namer, bytes, 31, 0, (struct sockaddr *)&address, sizeof address));
	received(recv(server, bytes, sizeof bytes, 0));
}

/* Not connects at all, or on no socket. */
static void wrong(void)
{
	int file = open("/dev/null", O_RDONLY), fd = tcp(0);
	struct sockaddr_in address = nobody();

	must(connecting(file, address) == -1 && errno == ENOTSOCK);
	must(connecting(999, address) == -1 && errno == EBADF);
	must(connect(fd, (void *)8, sizeof address) == -1 && errno == EFAULT);
	address.sin_family = AF_UNSPEC;
	must(connecting(fd, address) == 0);
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = {
		{"refused", refused},
		{"refused6", refused6},
		{"accepted", accepted},
		{"in_progress", in_progress},
		{"in_progress_refused", in_progress_refused},
		{"told_by_transfer", told_by_transfer},
		{"told_by_connect", told_by_connect},
		{"asked_by_connect", asked_by_connect},
		{"abandoned", abandoned},
		{"timed_out", timed_out},
		{"interrupted", interrupted},
		{"unix", unix_sockets},
		{"pair", pair},
		{"udp", udp},
		{"wrong", wrong},
		{NULL, NULL},
	};

	return run_mode(modes, argc > 1 ? argv[1] : NULL);
}
