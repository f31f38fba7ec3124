/* SPDX-License-Identifier: GPL-2.0-or-later
 * The work that is measured. workload NAME COUNT FILE [COMMAND...] prints "ready PID", waits until its stdin can be
 * read, does COUNT operations, and writes to FILE what they took and what it sent and received, as JSON.
 *
 * It times itself, so that what a tracer needs to start is not in the figure. It waits by poll(2) and writes by
 * pwrite(2), which no tool counts: so even one that can't tell sockets from pipes may come to the true sum. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "workload.h"

#define THREADS 4
#define PERIOD 251 /* of the stream's bytes: no power of two, so that a lost or repeated block shows */

static const char *result;
static unsigned char pattern[CHUNK + PERIOD];

void must(int ok)
{
	if (!ok) {
		perror("workload");
		exit(99);
	}
}

void *bounce(void *context)
{
	struct share *share = context;
	int ends[2];
	char byte;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	for (long i = 0; i < share->count / 2; i++)
		must(send(ends[0], "x", 1, 0) == 1 && recv(ends[1], &byte, 1, 0) == 1);
	must(close(ends[0]) == 0 && close(ends[1]) == 0);
	share->sent = share->received = share->count / 2;
	return NULL;
}

static void ping_pong(struct share *total)
{
	bounce(total);
}

static void ping_pong_threads(struct share *total)
{
	struct share shares[THREADS] = {0};
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++) {
		shares[i].count = total->count / THREADS;
		must(pthread_create(&threads[i], NULL, bounce, &shares[i]) == 0);
	}
	for (int i = 0; i < THREADS; i++) {
		must(pthread_join(threads[i], NULL) == 0);
		total->sent += shares[i].sent;
		total->received += shares[i].received;
	}
}

static int listening(struct sockaddr_in *address)
{
	socklen_t length = sizeof(*address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	*address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	must(fd >= 0 && bind(fd, (struct sockaddr *)address, length) == 0 && listen(fd, 16) == 0);
	must(getsockname(fd, (struct sockaddr *)address, &length) == 0);
	return fd;
}

/* Both ends of a new connection. */
static void connected(int listener, const struct sockaddr_in *address, int ends[2])
{
	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	must(ends[0] >= 0 && connect(ends[0], (const struct sockaddr *)address, sizeof(*address)) == 0);
	ends[1] = accept(listener, NULL, NULL);
	must(ends[1] >= 0);
}

/* Receives to the end, and looks at every byte. */
static void *drain(void *context)
{
	static unsigned char buffer[CHUNK];
	struct share *share = context;
	ssize_t got;

	while ((got = recv(share->fd, buffer, sizeof(buffer), 0)) > 0) {
		must(memcmp(buffer, pattern + share->received % PERIOD, got) == 0);
		share->received += got;
	}
	must(got == 0);
	return NULL;
}

/* One operation is 64 KiB, from one thread to another. */
static void tcp_stream(struct share *total)
{
	struct share receiver = {0};
	struct sockaddr_in address;
	int listener = listening(&address), ends[2];
	pthread_t thread;

	connected(listener, &address, ends);
	receiver.fd = ends[1];
	must(pthread_create(&thread, NULL, drain, &receiver) == 0);
	for (long i = 0; i < total->count; i++) {
		ssize_t put = send(ends[0], pattern + total->sent % PERIOD, CHUNK, 0);

		must(put > 0);
		total->sent += put;
	}
	must(shutdown(ends[0], SHUT_WR) == 0);
	must(pthread_join(thread, NULL) == 0);
	total->received = receiver.received;
	must(total->sent == total->received);
}

/* One operation is a connection that carries a byte each way. */
static void connect_close(struct share *total)
{
	struct sockaddr_in address;
	int listener = listening(&address), ends[2];
	char byte;

	for (long i = 0; i < total->count; i++) {
		connected(listener, &address, ends);
		must(send(ends[0], "x", 1, 0) == 1 && recv(ends[1], &byte, 1, 0) == 1);
		must(send(ends[1], "y", 1, 0) == 1 && recv(ends[0], &byte, 1, 0) == 1);
		must(close(ends[0]) == 0 && close(ends[1]) == 0);
	}
	total->sent = total->received = 2 * total->count;
}

static void unwatched(struct share *total)
{
	for (long i = 0; i < total->count; i++)
		syscall(SYS_getppid);
}

static void file_read(struct share *total)
{
	int fd = open(result, O_RDWR | O_CREAT, 0600);
	char byte;

	must(fd >= 0 && ftruncate(fd, total->count) == 0);
	for (long i = 0; i < total->count; i++)
		must(read(fd, &byte, 1) == 1);
	must(ftruncate(fd, 0) == 0);
}

static void fork_exec(struct share *total)
{
	for (long i = 0; i < total->count; i++) {
		pid_t pid = fork();

		must(pid >= 0);
		if (pid == 0) {
			execl("/bin/true", "true", (char *)NULL);
			_exit(99);
		}
		must(waitpid(pid, NULL, 0) == pid);
	}
}

static const struct {
	const char *name;
	void (*work)(struct share *total);
} works[] = {
	{"ping_pong", ping_pong},   {"ping_pong_threads", ping_pong_threads},
	{"tcp_stream", tcp_stream}, {"connect_close", connect_close},
	{"unwatched", unwatched},   {"file_read", file_read},
	{"fork_exec", fork_exec},   {"command", run_command},
	{"threads", many_threads},  {"processes", many_processes},
};

static void tell(const struct share *total, double nanoseconds)
{
	char text[256];
	int length = snprintf(text, sizeof(text), "{\"nanoseconds\": %.0f, \"sent\": %ld, \"received\": %ld}\n",
			      nanoseconds, total->sent, total->received);
	int fd = open(result, O_WRONLY | O_CREAT, 0600);

	must(fd >= 0 && pwrite(fd, text, length, 0) == length && close(fd) == 0);
}

int main(int argc, char **argv)
{
	struct pollfd go = {.fd = STDIN_FILENO, .events = POLLIN};
	struct timespec begin, end;
	struct share total = {0};

	if (argc < 4)
		return 2;
	total.count = atol(argv[2]);
	result = argv[3];
	total.command = argv + 4;
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = i % PERIOD;
	for (size_t i = 0; i < sizeof(works) / sizeof(*works); i++) {
		if (strcmp(argv[1], works[i].name) != 0)
			continue;
		printf("ready %d\n", getpid());
		fflush(stdout);
		while (poll(&go, 1, -1) < 0) /* EINTR: somebody attached */
			;
		clock_gettime(CLOCK_MONOTONIC, &begin);
		works[i].work(&total);
		clock_gettime(CLOCK_MONOTONIC, &end);
		tell(&total, (end.tv_sec - begin.tv_sec) * 1e9 + (end.tv_nsec - begin.tv_nsec));
		return 0;
	}
	return 2;
}
