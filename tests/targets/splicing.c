/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: splicing MODE
 * Bytes that never enter the program's memory: sendfile(2), splice(2). */
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>

static char bytes[4096];
static int pair[2], pipe_ends[2];

static int filled_file(size_t length)
{
	int fd = memfd_create("file", 0);

	must(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
	must(lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

/* 1009 bytes from a file, once from an offset that is given; then the file's end: nothing. */
static void file_to_socket(void)
{
	int file = filled_file(1009);
	off_t start = 503;

	tcp_pair(pair);
	must(sent(sendfile(pair[0], file, NULL, 4096)) == 1009);
	must(sent(sendfile(pair[0], file, &start, 4096)) == 506);
	must(sent(sendfile(pair[0], file, NULL, 4096)) == 0);
	received(recv(pair[1], bytes, 1009 + 506, MSG_WAITALL));
}

/* Since Linux 5.12 the output may be a pipe, and then the input a socket; a file as output stays EINVAL. */
static void socket_to_pipe_by_sendfile(void)
{
	int file = memfd_create("file", 0);

	tcp_pair(pair);
	must(pipe(pipe_ends) == 0);
	sent(send(pair[0], bytes, 1009, 0));
	await(pair[1], 1009);
	must(sendfile(file, pair[1], NULL, 4096) == -1 && errno == EINVAL);
	must(received(sendfile(pipe_ends[1], pair[1], NULL, 4096)) == 1009);
	must(read(pipe_ends[0], bytes, sizeof bytes) == 1009);
}

/* One socket to another by way of a pipe: received once, sent once. */
static void socket_to_socket(void)
{
	int next[2];

	tcp_pair(pair);
	tcp_pair(next);
	must(pipe(pipe_ends) == 0);
	sent(send(pair[0], bytes, 1009, 0));
	await(pair[1], 1009);
	must(received(splice(pair[1], NULL, pipe_ends[1], NULL, 4096, 0)) == 1009);
	must(sent(splice(pipe_ends[0], NULL, next[0], NULL, 4096, 0)) == 1009);
	received(recv(next[1], bytes, 1009, MSG_WAITALL));
}

/* The same with unix sockets, and a splice that would block. */
static void unix_sockets(void)
{
	int next[2];

	unix_pair(SOCK_STREAM, pair);
	unix_pair(SOCK_STREAM, next);
	must(pipe(pipe_ends) == 0);
	must(splice(pair[1], NULL, pipe_ends[1], NULL, 4096, SPLICE_F_NONBLOCK) == -1 && errno == EAGAIN);
	sent(send(pair[0], bytes, 503, 0));
	must(received(splice(pair[1], NULL, pipe_ends[1], NULL, 4096, 0)) == 503);
	must(sent(splice(pipe_ends[0], NULL, next[0], NULL, 4096, 0)) == 503);
	received(recv(next[1], bytes, 503, MSG_WAITALL));
}

/* sendfile and splice where no socket takes part. */
static void no_socket(void)
{
	int file = filled_file(1009), other = memfd_create("other", 0);
	loff_t start = 0;

	must(pipe(pipe_ends) == 0);
	must(sendfile(other, file, NULL, 4096) == 1009);
	must(splice(file, &start, pipe_ends[1], NULL, 4096, 0) == 1009);
	start = 0;
	must(splice(pipe_ends[0], NULL, other, &start, 4096, 0) == 1009);
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = {
		{"file_to_socket", file_to_socket},
		{"socket_to_pipe_by_sendfile", socket_to_pipe_by_sendfile},
		{"socket_to_socket", socket_to_socket},
		{"unix_sockets", unix_sockets},
		{"no_socket", no_socket},
		{NULL, NULL},
	};

	return run_mode(modes, argc > 1 ? argv[1] : NULL);
}
