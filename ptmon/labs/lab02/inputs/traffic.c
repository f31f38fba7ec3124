/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: traffic MODE LENGTH...
 * Moves texts of these lengths through a pair of sockets, in one of several ways, and tells what it has moved. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static int ends[2];
static char data[4096];
static long sent, received;
static volatile sig_atomic_t came;

static void on_signal(int number)
{
	(void)number;
	came++;
}

static void by_send(size_t length)
{
	sent += send(ends[0], data, length, 0);
	received += recv(ends[1], data, length, 0);
}

static void by_write(size_t length)
{
	sent += write(ends[0], data, length);
	received += read(ends[1], data, length);
}

static void by_parts(size_t length)
{
	struct iovec parts[] = {{data, length}, {data, 1}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

	sent += writev(ends[0], parts, 2);
	received += readv(ends[1], parts, 2);
	sent += sendmsg(ends[0], &message, 0);
	received += recvmsg(ends[1], &message, 0);
}

/* The same calls on a pipe and on a file, and one byte through the sockets. */
static void by_files(size_t length)
{
	int pipes[2], file = open("/dev/zero", O_RDWR);

	if (file < 0 || pipe(pipes) != 0 || write(pipes[1], data, length) < 0 || read(pipes[0], data, length) < 0)
		exit(99);
	if (read(file, data, length) < 0 || write(file, data, length) < 0)
		exit(99);
	close(file), close(pipes[0]), close(pipes[1]);
	by_write(1);
}

/* Fails thrice: nothing is there, no such fd, no fd at all. */
static void failing(size_t length)
{
	if (recv(ends[1], data, length, MSG_DONTWAIT) >= 0 || send(99, data, length, 0) >= 0 ||
	    read(-1, data, length) >= 0)
		exit(99);
	by_send(length);
}

static void signalled(size_t length)
{
	raise(SIGUSR1);
	by_send(length);
}

static const struct {
	const char *name;
	void (*move)(size_t length);
} modes[] = {{"send", by_send},	  {"write", by_write},	{"parts", by_parts},
	     {"files", by_files}, {"failing", failing}, {"signalled", signalled}};

int main(int argc, char **argv)
{
	signal(SIGUSR1, on_signal);
	if (argc < 2 || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		return 99;
	for (size_t mode = 0; mode < sizeof modes / sizeof *modes; mode++)
		for (int i = 2; strcmp(modes[mode].name, argv[1]) == 0 && i < argc; i++)
			modes[mode].move((size_t)atoi(argv[i]));
	printf("sent %ld, received %ld\n", sent, received);
	return came;
}
