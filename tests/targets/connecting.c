/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: connecting MODE [late] [wait]
 * Connects that succeed, fail, are in progress; and sockets that come by their ends in other ways. late: some other
 * calls come first. wait: it says "ready" before that, and waits for a byte on stdin. */
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

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

/* Connected once it stays so. */
static void twice(void)
{
	int listener = listening(), fd = tcp(0), other;

	connect_to(fd, name_of(listener));
	must(connecting(fd, name_of(listener)) == -1 && errno == EISCONN);
	other = accept(listener, NULL, NULL);
	sent(send(fd, bytes, 37, 0));
	received(recv(other, bytes, 37, MSG_WAITALL));
}

/* A socket that was refused is as good as new. */
static void refused_first(void)
{
	int listener = listening(), fd = tcp(0), other;

	must(connecting(fd, nobody()) == -1 && errno == ECONNREFUSED);
	must(connecting(fd, nobody()) == -1 && errno == ECONNREFUSED);
	connect_to(fd, name_of(listener));
	other = accept(listener, NULL, NULL);
	sent(send(fd, bytes, 41, 0));
	received(recv(other, bytes, 41, MSG_WAITALL));
	close(fd);
	close(other);
}

/* By AF_UNSPEC it has no peer any more, and may get another one. */
static void unspecified(void)
{
	int listener = listening(), fd = tcp(0);
	struct sockaddr_in none = {.sin_family = AF_UNSPEC};

	must(connecting(fd, none) == 0);
	for (int i = 0; i < 2; i++) {
		int other;

		connect_to(fd, name_of(listener));
		other = accept(listener, NULL, NULL);
		sent(send(fd, bytes, 43, 0));
		received(recv(other, bytes, 43, MSG_WAITALL));
		must(connecting(fd, none) == 0);
		close(other);
	}
}

static void connected6(void)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
	socklen_t length = sizeof address;
	int listener = socket(AF_INET6, SOCK_STREAM, 0), fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
	int other;

	skip_unless(listener >= 0 && bind(listener, (struct sockaddr *)&address, length) == 0);
	must(listen(listener, 1) == 0 && getsockname(listener, (struct sockaddr *)&address, &length) == 0);
	must(connect(fd, (struct sockaddr *)&address, length) == 0);
	other = accept(listener, NULL, NULL);
	sent(send(fd, bytes, 47, 0));
	received(recv(other, bytes, 47, MSG_WAITALL));
	close(fd);
	close(other);
}

/* Another peer, and another row, each time. */
static void udp_again(void)
{
	int servers[2] = {bound(SOCK_DGRAM), bound(SOCK_DGRAM)}, client = socket(AF_INET, SOCK_DGRAM, 0);

	for (int i = 0; i < 4; i++) {
		connect_to(client, name_of(servers[i % 2]));
		sent(send(client, bytes, 23, 0));
		received(recv(servers[i % 2], bytes, sizeof bytes, 0));
	}
}

static void unix_datagrams(void)
{
	int server = unix_bound(SOCK_DGRAM, unix_name("server")), client = socket(AF_UNIX, SOCK_DGRAM, 0);

	for (int i = 0; i < 3; i++) {
		must(unix_connecting(client, unix_name("server")) == 0);
		sent(send(client, bytes, 53, 0));
		received(recv(server, bytes, sizeof bytes, 0));
	}
	must(unix_connecting(client, unix_name("nobody")) == -1 && errno == ECONNREFUSED);
}

/* Nobody answers until one of those that wait is accepted; then the next SYN is answered. */
static int crowded;
static struct sockaddr_in crowded_address;

static void crowd(void)
{
	crowded = bound(SOCK_STREAM);
	must(listen(crowded, 0) == 0);
	crowded_address = name_of(crowded);
	must(connecting(tcp(SOCK_NONBLOCK), crowded_address) == -1 && errno == EINPROGRESS);
}

static void make_room(int signal)
{
	(void)signal;
	must(accept(crowded, NULL, NULL) >= 0);
}

/* The handler lets it in, and the call goes on behind it. */
static void restarted(void)
{
	struct sigaction action = {.sa_handler = make_room, .sa_flags = SA_RESTART};
	struct itimerval soon = {.it_value.tv_usec = 50000};
	int fd = tcp(0), other;

	crowd();
	must(sigaction(SIGALRM, &action, NULL) == 0);
	must(setitimer(ITIMER_REAL, &soon, NULL) == 0);
	connect_to(fd, crowded_address);
	other = accept(crowded, NULL, NULL);
	sent(send(fd, bytes, 59, 0));
	received(recv(other, bytes, 59, MSG_WAITALL));
}

static atomic_int joining = -1;

static int is_asleep(const char *path)
{
	char line[256] = {0};
	int file = open(path, O_RDONLY);

	must(file >= 0 && read(file, line, sizeof line - 1) > 0);
	close(file);
	return strstr(line, ") S ") != NULL;
}

/* Another thread closes the fd of a thread that connects it, and gets the number for something else. */
static void *take_away(void *unused)
{
	char path[64];
	int fd;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)getpid());
	while (joining < 0 || !is_asleep(path))
		poll(NULL, 0, 1);
	fd = joining;
	must(close(fd) == 0);
	must(open("/dev/zero", O_RDONLY) == fd && read(fd, bytes, 5) == 5);
	make_room(0);
	return unused;
}

static void taken_away(void)
{
	pthread_t thread;
	int fd = tcp(0);

	crowd();
	must(pthread_create(&thread, NULL, take_away, NULL) == 0);
	joining = fd;
	connect_to(fd, crowded_address);
	must(pthread_join(thread, NULL) == 0);
	must(read(fd, bytes, 7) == 7 && close(fd) == 0);
	must(close(crowded) == 0);
}

static int visited;
static struct sockaddr_in visited_address;

static void visit(void)
{
	int fd = tcp(0);

	connect_to(fd, visited_address);
	must(send(fd, bytes, 3, 0) == 3);
	must(close(fd) == 0);
}

static void *visit_often(void *unused)
{
	for (int i = 0; i < 100; i++)
		visit();
	return unused;
}

static void welcome(int visits)
{
	while (visits--) {
		int fd = accept(visited, NULL, NULL);

		received(recv(fd, bytes, 3, MSG_WAITALL));
		close(fd);
	}
}

/* Children are born while others connect, and do so themselves. */
static void forked(void)
{
	pthread_t threads[3];

	visited = bound(SOCK_STREAM);
	visited_address = name_of(visited);
	must(listen(visited, 400) == 0);
	for (int i = 0; i < 3; i++)
		must(pthread_create(&threads[i], NULL, visit_often, NULL) == 0);
	for (int i = 0; i < 10; i++) {
		pid_t child = fork();

		must(child >= 0);
		if (!child) {
			visit();
			_exit(0);
		}
		welcome(10);
	}
	welcome(3 * 100 + 10 - 10 * 10);
	for (int i = 0; i < 3; i++)
		must(pthread_join(threads[i], NULL) == 0);
	while (wait(NULL) > 0)
		;
	all_sent += (3 * 100 + 10) * 3;
}

static void *let_in(void *unused)
{
	must(getchar() == '\n');
	make_room(0);
	return unused;
}

/* Until it is told to let the other one in it waits. */
static void held(void)
{
	pthread_t thread;
	int fd = tcp(0), other;

	crowd();
	must(pthread_create(&thread, NULL, let_in, NULL) == 0);
	puts("connecting");
	fflush(stdout);
	connect_to(fd, crowded_address);
	other = accept(crowded, NULL, NULL);
	sent(send(fd, bytes, 61, 0));
	received(recv(other, bytes, 61, MSG_WAITALL));
	must(pthread_join(thread, NULL) == 0);
}

/* So many calls that they are counted inside of the program from then on, where that can be. */
static void chat(void)
{
	int ends[2];

	unix_pair(SOCK_STREAM, ends);
	for (int i = 0; i < 100; i++) {
		sent(send(ends[0], bytes, 1, 0));
		received(recv(ends[1], bytes, 1, 0));
	}
	close(ends[0]);
	close(ends[1]);
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
		{"twice", twice},
		{"refused_first", refused_first},
		{"unspecified", unspecified},
		{"connected6", connected6},
		{"udp_again", udp_again},
		{"unix_datagrams", unix_datagrams},
		{"restarted", restarted},
		{"taken_away", taken_away},
		{"forked", forked},
		{"held", held},
		{NULL, NULL},
	};

	if (argc > 2 && strcmp(argv[argc - 1], "wait") == 0) {
		puts("ready");
		fflush(stdout);
		must(getchar() == '\n');
	}
	if (argc > 2 && strcmp(argv[2], "late") == 0)
		chat();
	return run_mode(modes, argc > 1 ? argv[1] : NULL);
}
