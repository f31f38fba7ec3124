/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: nonsockets MODE
 * The calls that count on a socket, on things that are none: 97 bytes each, of which nothing counts. */
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <termios.h>

static char bytes[97];
static struct iovec piece = {.iov_base = bytes, .iov_len = sizeof bytes};

static void a_file(void)
{
	int fd = memfd_create("file", 0), other = memfd_create("other", 0);
	off_t start = 0;

	must(write(fd, bytes, 97) == 97);
	must(writev(fd, &piece, 1) == 97);
	must(pwritev2(fd, &piece, 1, -1, 0) == 97);
	must(lseek(fd, 0, SEEK_SET) == 0);
	must(read(fd, bytes, 97) == 97);
	must(readv(fd, &piece, 1) == 97);
	must(preadv2(fd, &piece, 1, -1, 0) == 97);
	must(sendfile(other, fd, &start, 97) == 97);
	must(read(fd, bytes, 97) == 0);
}

static void a_pipe(void)
{
	int one[2], two[2];

	must(pipe(one) == 0 && pipe(two) == 0);
	must(write(one[1], bytes, 97) == 97);
	must(writev(one[1], &piece, 1) == 97);
	must(vmsplice(one[1], &piece, 1, 0) == 97);
	must(tee(one[0], two[1], 97, 0) > 0);
	must(splice(one[0], NULL, two[1], NULL, 97, 0) > 0);
	must(read(one[0], bytes, 97) == 97);
	must(readv(two[0], &piece, 1) > 0);
}

static void a_terminal(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	struct termios raw;
	int slave;

	must(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	must(slave >= 0 && tcgetattr(slave, &raw) == 0);
	cfmakeraw(&raw);
	must(tcsetattr(slave, TCSANOW, &raw) == 0);
	must(write(slave, bytes, 97) == 97);
	must(read(master, bytes, 97) > 0);
	must(writev(master, &piece, 1) == 97);
	must(readv(slave, &piece, 1) > 0);
}

static void an_eventfd(void)
{
	int fd = eventfd(0, 0);
	eventfd_t value = 7;

	must(write(fd, &value, sizeof value) == sizeof value);
	must(read(fd, &value, sizeof value) == sizeof value && value == 7);
}

/* Socket calls on what is no socket, and any call on no fd at all. */
static void failing(void)
{
	struct msghdr header = {.msg_iov = &piece, .msg_iovlen = 1};
	int fd = memfd_create("file", 0);

	must(send(fd, bytes, 97, 0) == -1 && errno == ENOTSOCK);
	must(recvmsg(fd, &header, 0) == -1 && errno == ENOTSOCK);
	must(send(999, bytes, 97, 0) == -1 && errno == EBADF);
	must(recvmsg(-1, &header, 0) == -1 && errno == EBADF);
	must(write(999, bytes, 97) == -1 && errno == EBADF);
	must(read(-1, bytes, 97) == -1 && errno == EBADF);
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = {
		{"file", a_file},	 {"pipe", a_pipe},     {"terminal", a_terminal},
		{"eventfd", an_eventfd}, {"failing", failing}, {NULL, NULL},
	};

	return run_mode(modes, argc > 1 ? argv[1] : NULL);
}
