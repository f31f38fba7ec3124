/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: speaks MODE LENGTH...
 * Moves texts of these lengths over a pair of sockets, in one of several ways, and tells what it has moved. Its status
 * is 7; 99 if a call does not do what it should. */
#undef _FORTIFY_SOURCE /* send and recv are to be those functions */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { THREADS = 4, TIMES = 2000 };

static int ends[2];
static char data[4096];
static atomic_long sent, received;

static void by_send(size_t length)
{
	sent += send(ends[0], data, length, 0);
	received += recv(ends[1], data, sizeof data, 0);
}

static void by_write(size_t length)
{
	sent += write(ends[1], data, length);
	received += read(ends[0], data, sizeof data);
}

/* Looks before it receives. */
static void peeking(size_t length)
{
	sent += send(ends[0], data, length, MSG_NOSIGNAL);
	if (recv(ends[1], data, sizeof data, MSG_PEEK) != (ssize_t)length)
		exit(99);
	if (recv(ends[1], data, sizeof data, MSG_PEEK | MSG_DONTWAIT) != (ssize_t)length)
		exit(99);
	received += recv(ends[1], data, sizeof data, MSG_DONTWAIT);
}

/* The same functions on a pipe and on a file; ones that fail; and errno is left alone by those that don't. */
static void by_files(size_t length)
{
	int pipes[2], file = open("/dev/zero", O_RDWR);

	errno = ELOOP;
	if (file < 0 || pipe(pipes) != 0 || write(pipes[1], data, length) < 0 || read(pipes[0], data, length) < 0)
		exit(99);
	if (read(file, data, length) < 0 || write(file, data, length) < 0 || errno != ELOOP)
		exit(99);
	close(file), close(pipes[0]), close(pipes[1]);
	if (recv(ends[1], data, length, MSG_DONTWAIT) >= 0 || errno != EAGAIN)
		exit(99);
	if (write(-1, data, length) >= 0 || errno != EBADF || read(99, data, length) >= 0 || errno != EBADF)
		exit(99);
	by_send(1);
}

static void *thread(void *length)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		exit(99);
	for (int i = 0; i < TIMES; i++) {
		sent += write(pair[0], data, (size_t)length);
		received += recv(pair[1], (char[4096]){0}, 4096, 0);
	}
	return NULL;
}

static void by_threads(size_t length)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, thread, (void *)length) != 0)
			exit(99);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static long raw(long number, long fd, void *memory, size_t length)
{
	long result;
	register long flags __asm__("r10") = 0;
	register long address __asm__("r8") = 0;
	register long size __asm__("r9") = 0;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(fd), "S"(memory), "d"(length), "r"(flags), "r"(address), "r"(size)
			 : "rcx", "r11", "memory");
	return result;
}

static void by_instruction(size_t length)
{
	sent += raw(SYS_sendto, ends[0], data, length);
	received += raw(SYS_recvfrom, ends[1], data, sizeof data);
}

/* One sendto and one recvfrom, and calls that nobody has asked for. */
static void among_others(size_t length)
{
	for (size_t i = 0; i < length; i++)
		getppid();
	by_send(length);
	if (write(ends[0], data, length) != (ssize_t)length || read(ends[1], data, length) != (ssize_t)length)
		exit(99);
}

static const struct {
	const char *name;
	void (*move)(size_t length);
} modes[] = {{"send", by_send},	      {"write", by_write},     {"peeking", peeking},	{"files", by_files},
	     {"threads", by_threads}, {"raw", by_instruction}, {"others", among_others}};

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	if (argc < 2 || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		return 99;
	for (size_t mode = 0; mode < sizeof modes / sizeof *modes; mode++)
		for (int i = 2; strcmp(modes[mode].name, argv[1]) == 0 && i < argc; i++)
			modes[mode].move((size_t)atoi(argv[i]));
	printf("sent %ld, received %ld\n", sent, received);
	return 7;
}
