// SPDX-License-Identifier: GPL-2.0-or-later
// Connections of a few bytes each, whose fds are closed and given again all the time, by several threads:
//
//   plain ROUNDS    TCP and AF_UNIX, with all that may happen to a socket before it is closed; files take fds in
//   between signals ROUNDS  the same, while a handler interrupts all of it that opens and closes fds, too forks ROUNDS
//   a child serves each connection, which its parent has accepted and has open, too passes ROUNDS   each is served by
//   another process, which gets it by SCM_RIGHTS
//
// and "wait": it says "ready" first, and waits for a byte on stdin. "rows": the sockets that have carried bytes.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "sockets.h"

enum { ACCEPTORS = 2 };

static struct shared {
	atomic_ullong sent, received, rows;
} *shared;

static int rounds, listeners[2];
static struct sockaddr_in tcp_address;
static struct sockaddr_un unix_address;
static socklen_t unix_length;

static void give(int fd, size_t length)
{
	static const char bytes[64];

	must(send(fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length);
	shared->sent += length;
}

static void take(int fd, size_t length)
{
	char bytes[64];
	size_t had = 0;

	while (had < length) {
		ssize_t some = recv(fd, bytes + had, length - had, 0);

		must(some > 0);
		had += (size_t)some;
	}
	shared->received += length;
}

static void await_end(int fd)
{
	char byte;

	must(recv(fd, &byte, 1, 0) <= 0); // or it is reset
}

// An fd that is none of a socket, in between.
static void use_file(void)
{
	char bytes[7];
	int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	must(fd >= 0 && read(fd, bytes, sizeof bytes) == sizeof bytes && close(fd) == 0);
}

static void linger(int fd, int seconds)
{
	struct linger how = {1, seconds};

	must(setsockopt(fd, SOL_SOCKET, SO_LINGER, &how, sizeof how) == 0);
}

// The server's side of connection i. The client does what it says there of i.
static void serve(int fd, int i)
{
	int other = -1;

	take(fd, 1 + (size_t)i % 5);
	if (i % 7 == 1) {
		other = dup(fd);
		must(other >= 0 && close(fd) == 0);
		fd = other;
	}
	if (i % 9 == 2)
		linger(fd, 1);
	give(fd, 1 + (size_t)i % 3);
	if (i % 4 == 0) { // the client ends first, or says so at the same time
		must(i % 8 == 0 || shutdown(fd, SHUT_WR) == 0);
		await_end(fd);
	}
	must(close(fd) == 0);
}

static int accept_one(int listener, int turn)
{
	struct sockaddr_storage from;
	socklen_t length = sizeof from;

	if (turn % 3 == 0)
		return accept(listener, NULL, NULL);
	if (turn % 3 == 1)
		return accept4(listener, (struct sockaddr *)&from, &length, SOCK_CLOEXEC);
	return accept(listener, (struct sockaddr *)&from, &length);
}

// Which one it is the client says in front, by a byte that is counted like the others.
static void serve_next(int listener, int turn)
{
	unsigned char number;
	int fd = accept_one(listener, turn);

	must(fd >= 0);
	must(recv(fd, &number, 1, 0) == 1);
	shared->received++;
	serve(fd, number);
}

static void *accept_all(void *listener)
{
	for (int i = 0; i < rounds; i++)
		serve_next(*(int *)listener, i);
	return NULL;
}

static void visit(bool tcp, int i)
{
	unsigned char number = (unsigned char)(i % 77);
	int fd = socket(tcp ? AF_INET : AF_UNIX, SOCK_STREAM, 0);

	must(fd >= 0);
	if (tcp)
		connect_to(fd, tcp_address);
	else
		must(connect(fd, (struct sockaddr *)&unix_address, unix_length) == 0);
	must(send(fd, &number, 1, MSG_NOSIGNAL) == 1);
	shared->sent++;
	give(fd, 1 + (size_t)number % 5);
	take(fd, 1 + (size_t)number % 3);
	if (number % 4 == 0 && number % 8)
		await_end(fd);
	if (number % 4 == 3)
		await_end(fd);
	if (number % 11 == 3)
		linger(fd, 0);
	if (number % 3 == 0)
		use_file();
	must(close(fd) == 0);
	shared->rows += 2;
}

static void *visit_all(void *tcp)
{
	for (int i = 0; i < rounds; i++)
		visit(tcp != NULL, i);
	return NULL;
}

static void plain(void)
{
	pthread_t threads[2 * (ACCEPTORS + ACCEPTORS)];
	int count = 0;

	for (int i = 0; i < ACCEPTORS; i++) {
		for (int way = 0; way < 2; way++) {
			must(pthread_create(&threads[count++], NULL, accept_all, &listeners[way]) == 0);
			must(pthread_create(&threads[count++], NULL, visit_all, way ? NULL : &rounds) == 0);
		}
	}
	while (count)
		must(pthread_join(threads[--count], NULL) == 0);
}

static void handle(int number)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)number;
	if (fd >= 0)
		close(fd);
}

static void signals(void)
{
	struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
	struct itimerval often = {{0, 300}, {0, 300}}, never = {{0, 0}, {0, 0}};

	must(sigaction(SIGALRM, &action, NULL) == 0);
	must(setitimer(ITIMER_REAL, &often, NULL) == 0);
	plain();
	must(setitimer(ITIMER_REAL, &never, NULL) == 0);
}

static void forks(void)
{
	pid_t visitor = fork(); // no thread, whose fds the others would have, too

	must(visitor >= 0);
	if (!visitor) {
		visit_all(&rounds);
		_exit(0);
	}
	for (int i = 0; i < rounds; i++) {
		int fd = accept_one(listeners[0], i), status;
		unsigned char number;
		pid_t child;

		must(fd >= 0);
		if (i % 2) { // used before the fork already
			must(recv(fd, &number, 1, 0) == 1);
			shared->received++;
		}
		child = fork();
		must(child >= 0);
		if (!child) {
			if (i % 2 == 0) {
				must(recv(fd, &number, 1, 0) == 1);
				shared->received++;
			}
			serve(fd, number);
			_exit(0);
		}
		must(close(fd) == 0);
		if (i % 3 == 0)
			must(waitpid(child, &status, 0) == child && status == 0);
	}
	while (wait(NULL) > 0)
		;
}

static void pass(int way, int fd)
{
	char byte = 'f', room[CMSG_SPACE(sizeof fd)];
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	*header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(header), &fd, sizeof fd);
	must(sendmsg(way, &message, 0) == 1);
	shared->sent++;
}

static int get(int way)
{
	char byte, room[CMSG_SPACE(sizeof(int))];
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
	int fd;

	must(recvmsg(way, &message, 0) == 1);
	shared->received++;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
	return fd;
}

static void passes(void)
{
	pthread_t visitor;
	int way[2], status;
	pid_t child;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, way) == 0);
	child = fork();
	must(child >= 0);
	for (int i = 0; !child && i < rounds; i++) {
		unsigned char number;
		int fd = get(way[1]);

		must(recv(fd, &number, 1, 0) == 1);
		shared->received++;
		serve(fd, number);
	}
	if (!child)
		_exit(0);
	shared->rows += 2;
	must(pthread_create(&visitor, NULL, visit_all, &rounds) == 0);
	for (int i = 0; i < rounds; i++) {
		int fd = accept_one(listeners[0], i);

		must(fd >= 0);
		pass(way[0], fd);
		must(close(fd) == 0);
	}
	must(pthread_join(visitor, NULL) == 0);
	must(waitpid(child, &status, 0) == child && status == 0);
}

int main(int argc, char **argv)
{
	const char *how = argc > 2 ? argv[1] : "";

	must(argc > 2);
	rounds = atoi(argv[2]);
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(shared != MAP_FAILED);
	listeners[0] = bound(SOCK_STREAM);
	tcp_address = name_of(listeners[0]);
	listeners[1] = socket(AF_UNIX, SOCK_STREAM, 0);
	unix_address.sun_family = AF_UNIX;
	must(bind(listeners[1], (struct sockaddr *)&unix_address, sizeof(sa_family_t)) == 0);
	unix_length = sizeof unix_address;
	must(getsockname(listeners[1], (struct sockaddr *)&unix_address, &unix_length) == 0);
	must(listen(listeners[0], 64) == 0 && listen(listeners[1], 64) == 0);
	if (argc > 3) {
		puts("ready");
		fflush(stdout);
		must(getchar() == '\n');
	}
	if (strcmp(how, "signals") == 0)
		signals();
	else if (strcmp(how, "forks") == 0)
		forks();
	else if (strcmp(how, "passes") == 0)
		passes();
	else
		plain();
	printf("{\"sent\": %llu, \"received\": %llu, \"rows\": %llu}\n", (unsigned long long)shared->sent,
	       (unsigned long long)shared->received, (unsigned long long)shared->rows);
	return 0;
}
