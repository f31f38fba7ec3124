/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: owners MODE
 * Sockets that several processes, threads and fd numbers share. What a child moves is known beforehand, so that the
 * parent can tell the sum. */
#include "sockets.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static char bytes[5000];
static int pair[2];

static void wait_for(pid_t child)
{
	int status;

	must(waitpid(child, &status, 0) == child);
	must(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* 101 bytes by the parent, 307 by the child, over one socket; the parent reads them all. */
static void forked(void)
{
	pid_t child;

	tcp_pair(pair);
	sent(send(pair[0], bytes, 101, 0));
	child = fork();
	must(child >= 0);
	if (child == 0)
		_exit(send(pair[0], bytes, 307, 0) != 307);
	wait_for(child);
	sent(307);
	received(recv(pair[1], bytes, 101 + 307, MSG_WAITALL));
}

/* The client is the parent, the server the child; both ends are told. */
static void both_ends(void)
{
	pid_t child;

	tcp_pair(pair);
	child = fork();
	must(child >= 0);
	if (child == 0) {
		close(pair[0]);
		must(recv(pair[1], bytes, 211, MSG_WAITALL) == 211);
		_exit(send(pair[1], bytes, 503, 0) != 503);
	}
	close(pair[1]);
	sent(send(pair[0], bytes, 211, 0));
	received(recv(pair[0], bytes, 503, MSG_WAITALL));
	wait_for(child);
	sent(503);
	received(211);
}

/* Four numbers of one socket; the first is closed before the last two are used. */
static void dupped(void)
{
	int second;

	tcp_pair(pair);
	sent(send(pair[0], bytes, 101, 0));
	second = dup(pair[0]);
	sent(send(second, bytes, 103, 0));
	must(dup2(second, 77) == 77);
	close(pair[0]);
	sent(send(77, bytes, 107, 0));
	sent(send(fcntl(77, F_DUPFD_CLOEXEC, 88), bytes, 109, 0));
	received(recv(pair[1], bytes, 101 + 103 + 107 + 109, MSG_WAITALL));
}

/* Passes the fd over a unix socket, with one byte, as unix(7) asks for. */
static ssize_t pass(int channel, int *fd, int receive)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr aligned;
	} control = {0};
	struct iovec piece = {.iov_base = bytes, .iov_len = 1};
	struct msghdr message = {
		.msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
	ssize_t moved;

	if (receive) {
		moved = recvmsg(channel, &message, 0);
		memcpy(fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof *fd);
		return moved;
	}
	*CMSG_FIRSTHDR(&message) = (struct cmsghdr){
		.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), fd, sizeof *fd);
	return sendmsg(channel, &message, 0);
}

/* The child gets the TCP socket by message, under another number, and sends 307 bytes; the parent 101. */
static void passed(void)
{
	int channel[2];
	pid_t child;

	unix_pair(SOCK_STREAM, channel);
	child = fork();
	must(child >= 0);
	if (child == 0) {
		int fd;

		must(pass(channel[1], &fd, 1) == 1);
		_exit(send(fd, bytes, 307, 0) != 307);
	}
	tcp_pair(pair);
	sent(send(pair[0], bytes, 101, 0));
	sent(pass(channel[0], &pair[0], 0));
	wait_for(child);
	received(1);
	sent(307);
	received(recv(pair[1], bytes, 101 + 307, MSG_WAITALL));
}

static void *send_as(void *name_and_length)
{
	int length = atoi(name_and_length);

	must(prctl(PR_SET_NAME, name_and_length) == 0);
	for (int i = 0; i < 7; i++)
		must(send(pair[0], bytes, (size_t)length, 0) == length);
	return NULL;
}

/* Three threads, each named after what it sends seven times. */
static void threads(void)
{
	static char *const names[] = {"101", "211", "307"};
	pthread_t ids[3];

	tcp_pair(pair);
	for (int i = 0; i < 3; i++)
		must(pthread_create(&ids[i], NULL, send_as, names[i]) == 0);
	for (int i = 0; i < 3; i++)
		must(pthread_join(ids[i], NULL) == 0);
	sent(7 * (101 + 211 + 307));
	received(recv(pair[1], bytes, 7 * (101 + 211 + 307), MSG_WAITALL));
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = {
		{"fork", forked}, {"both_ends", both_ends}, {"dup", dupped},
		{"pass", passed}, {"threads", threads},	    {NULL, NULL},
	};

	return run_mode(modes, argc > 1 ? argv[1] : NULL);
}
