/* SPDX-License-Identifier: GPL-2.0-or-later
 * Threads that send to each other over socket pairs, with calls of one kind, data that is checked, and oddities: peeks,
 * calls that fail, zero bytes, sockets and files that change places.
 *   pingpong WAY ROUNDS THREADS [odd] [wait]
 * WAY: libc (send, recv), write, msg (sendmsg, recvmsg), vector (writev, readv), raw (syscall(2)), inline (assembler).
 */
#include <signal.h>
#include <sys/uio.h>

#include "begin.h"

enum { LARGEST = 700, FIRST_NUMBER = 300 };

static ssize_t msg_send(int fd, const void *bytes, size_t size, int flags)
{
	struct iovec part = {(void *)(size_t)bytes, size};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	return sendmsg(fd, &message, flags);
}

static ssize_t msg_recv(int fd, void *bytes, size_t size, int flags)
{
	struct iovec part = {bytes, size};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	return recvmsg(fd, &message, flags);
}

static ssize_t plain_write(int fd, const void *bytes, size_t size, int flags)
{
	return flags ? send(fd, bytes, size, flags) : write(fd, bytes, size);
}

static ssize_t plain_read(int fd, void *bytes, size_t size, int flags)
{
	return flags ? recv(fd, bytes, size, flags) : read(fd, bytes, size);
}

static ssize_t vector_write(int fd, const void *bytes, size_t size, int flags)
{
	char *all = (char *)(size_t)bytes;
	struct iovec halves[2] = {{all, size / 3}, {all + size / 3, size - size / 3}};
	return flags ? send(fd, bytes, size, flags) : writev(fd, halves, 2);
}

static ssize_t vector_read(int fd, void *bytes, size_t size, int flags)
{
	struct iovec halves[2] = {{bytes, size / 3}, {(char *)bytes + size / 3, size - size / 3}};
	return flags ? recv(fd, bytes, size, flags) : readv(fd, halves, 2);
}

static ssize_t raw_send(int fd, const void *bytes, size_t size, int flags)
{
	return syscall(SYS_sendto, fd, bytes, size, flags, NULL, 0);
}

static ssize_t raw_recv(int fd, void *bytes, size_t size, int flags)
{
	return syscall(SYS_recvfrom, fd, bytes, size, flags, NULL, NULL);
}

/* No libc between: as Go and others have it. */
static ssize_t transfer(long number, int fd, const void *bytes, size_t size, int flags)
{
#ifdef __x86_64__
	long result;
	register long r10 __asm__("r10") = flags;
	register long r8 __asm__("r8") = 0;
	register long r9 __asm__("r9") = 0;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(number), "D"((long)fd), "S"(bytes), "d"(size), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	if (result < 0)
		errno = (int)-result;
	return result < 0 ? -1 : result;
#else
	return syscall(number, fd, bytes, size, flags, NULL, 0);
#endif
}

static ssize_t inline_send(int fd, const void *bytes, size_t size, int flags)
{
	return transfer(SYS_sendto, fd, bytes, size, flags);
}

static ssize_t inline_recv(int fd, void *bytes, size_t size, int flags)
{
	return transfer(SYS_recvfrom, fd, bytes, size, flags);
}

static const struct way {
	const char *name;
	ssize_t (*send)(int fd, const void *bytes, size_t size, int flags);
	ssize_t (*recv)(int fd, void *bytes, size_t size, int flags);
} ways[] = {
	{"libc", send, recv},	     {"write", plain_write, plain_read},   {"msg", msg_send, msg_recv},
	{"raw", raw_send, raw_recv}, {"inline", inline_send, inline_recv}, {"vector", vector_write, vector_read},
	{NULL, NULL, NULL},
};

static const struct way *way = ways;
static int rounds, odd;
static atomic_ullong peeked;

struct lane {
	unsigned int number;
	int ends[2];
	unsigned long long place;
};

#define out(fd, bytes, size) counted(&tally->sent, way->send(fd, bytes, size, 0))
#define in(fd, bytes, size) counted(&tally->received, way->recv(fd, bytes, size, 0))

static void *pong(void *argument)
{
	struct lane *lane = argument;
	unsigned long long place = 0;
	char bytes[LARGEST];
	ssize_t size;
	while ((size = in(lane->ends[1], bytes, sizeof bytes)) > 0) {
		check(bytes, (size_t)size, lane->number, place);
		for (ssize_t i = 0; i < size; i++)
			bytes[i] ^= 0x55;
		must(out(lane->ends[1], bytes, (size_t)size) == size);
		place += (unsigned long long)size;
	}
	must(size == 0);
	return NULL;
}

/* The other end is gone: errors, and the end of the stream. */
static void closed_pair(char *bytes)
{
	int ends[2];
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0 && close(ends[1]) == 0);
	must(out(ends[0], bytes, 5) == -1 && errno == EPIPE);
	must(in(ends[0], bytes, 5) == 0);
	must(close(ends[0]) == 0);
	must(way->send(FIRST_NUMBER - 1, bytes, 5, 0) == -1 && errno == EBADF);
}

/* The same number is a file, then the socket. */
static int change_places(const struct lane *lane, char *bytes, size_t size)
{
	int number = FIRST_NUMBER + (int)lane->number, file = memfd_create("file", MFD_CLOEXEC);
	must(file >= 0 && dup2(file, number) == number && close(file) == 0);
	must(write(number, bytes, size) == (ssize_t)size && lseek(number, 0, SEEK_SET) == 0);
	must(read(number, bytes, size) == (ssize_t)size);
	must(dup2(lane->ends[0], number) == number);
	return number;
}

/* Before a message is sent: nothing has arrived. Returns the fd to send it with. */
static int before(const struct lane *lane, int round, char *bytes, size_t size)
{
	int fd = lane->ends[0];
	switch (odd ? round % 16 : 15) {
	case 0:
		must(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
		must(in(fd, (char[8]){0}, 8) == -1 && errno == EAGAIN);
		must(fcntl(fd, F_SETFL, 0) == 0);
		break;
	case 2:
		must(out(fd, bytes, 0) == 0);
		break;
	case 5:
		if (round % 64 == 5)
			closed_pair((char[8]){0});
		break;
	case 8:
		return change_places(lane, bytes, size);
	case 11:
		fd = dup(fd);
		must(fd >= 0);
		break;
	default:
		break;
	}
	return fd;
}

static void *ping(void *argument)
{
	struct lane *lane = argument;
	char bytes[LARGEST], answer[LARGEST];
	for (int round = 0; round < rounds; round++) {
		size_t size = 1 + ((unsigned int)round * 37 + lane->number * 11) % (LARGEST - 1);
		fill(bytes, size, lane->number, lane->place);
		int fd = before(lane, round, bytes, size);
		must(out(fd, bytes, size) == (ssize_t)size);
		if (fd != lane->ends[0])
			must(close(fd) == 0);
		if (odd && round % 16 == 7)
			must(counted(&peeked, way->recv(lane->ends[0], answer, size, MSG_PEEK)) == (ssize_t)size);
		must(in(lane->ends[0], answer, size) == (ssize_t)size);
		for (size_t i = 0; i < size; i++)
			answer[i] ^= 0x55;
		check(answer, size, lane->number, lane->place);
		lane->place += size;
	}
	must(shutdown(lane->ends[0], SHUT_WR) == 0);
	return NULL;
}

int main(int argc, char **argv)
{
	must(argc > 3);
	int threads = atoi(argv[3]);
	while (way->name && strcmp(way->name, argv[1]) != 0)
		way++;
	must(way->name && threads <= 64);
	rounds = atoi(argv[2]);
	odd = argc > 4 && strcmp(argv[4], "odd") == 0;
	tally_open();
	signal(SIGPIPE, SIG_IGN);
	struct lane lanes[64];
	pthread_t pings[64], pongs[64];
	for (int i = 0; i < threads; i++) {
		lanes[i] = (struct lane){.number = (unsigned int)i};
		must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, lanes[i].ends) == 0);
		pongs[i] = start_thread(pong, &lanes[i]);
	}
	begin(argc, argv);
	for (int i = 0; i < threads; i++)
		pings[i] = start_thread(ping, &lanes[i]);
	for (int i = 0; i < threads; i++)
		must(pthread_join(pings[i], NULL) == 0 && pthread_join(pongs[i], NULL) == 0);
	printf("{\"sent\": %llu, \"received\": %llu, \"peeked\": %llu, \"calls\": %llu, \"errors\": %llu}\n",
	       tally->sent, tally->received, peeked, tally->calls, tally->errors);
	return 0;
}
