/* SPDX-License-Identifier: GPL-2.0-or-later
 * Numbers of fds that mean one socket after another. Each socket that sends sends its own number of bytes, so that one
 * row of the report can't be taken for another: the i-th of thread t sends 3 x (t x ROUNDS + i + 1) bytes.
 *   reopened accept|dup2|kinds|rights THREADS ROUNDS [wait] */
#include "begin.h"
#include "sockets.h"

enum { NUMBER = 200, PARTS = 3 };

static int rounds;

/* All threads write and read in turn by libc's few instructions. */
static void move_parts(int sender, int receiver, size_t size)
{
	char bytes[8192];
	must(size <= sizeof bytes);
	for (int part = 0; part < PARTS; part++) {
		fill(bytes, size, 5, (unsigned long long)part * size);
		must(counted(&tally->sent, part == 1 ? write(sender, bytes, size) : send(sender, bytes, size, 0)) ==
		     (ssize_t)size);
		memset(bytes, 0, size);
		for (size_t done = 0; done < size;) {
			ssize_t step = counted(&tally->received,
					       part == 2 ? read(receiver, bytes + done, size - done)
							 : recv(receiver, bytes + done, size - done, 0));
			must(step > 0);
			done += (size_t)step;
		}
		check(bytes, size, 5, (unsigned long long)part * size);
	}
}

static void by_accept(int thread, size_t size)
{
	int ends[2];
	(void)thread;
	tcp_pair(ends);
	move_parts(ends[0], ends[1], size);
	must(close(ends[0]) == 0 && close(ends[1]) == 0);
}

static void by_dup2(int thread, size_t size)
{
	int ends[2];
	unix_pair(SOCK_STREAM, ends);
	must(dup2(ends[0], NUMBER + 2 * thread) == NUMBER + 2 * thread); /* closes the one before */
	must(dup2(ends[1], NUMBER + 2 * thread + 1) == NUMBER + 2 * thread + 1);
	must(close(ends[0]) == 0 && close(ends[1]) == 0);
	move_parts(NUMBER + 2 * thread, NUMBER + 2 * thread + 1, size);
}

static void by_kinds(int thread, size_t size)
{
	int number = NUMBER + thread, file = memfd_create("file", 0), pipes[2];
	must(file >= 0 && pipe(pipes) == 0);
	must(dup3(file, number, O_CLOEXEC) == number && close(file) == 0);
	must(write(number, buffer, 1009) == 1009 && pread(number, (char[8]){0}, 8, 0) == 8);
	int ends[2];
	unix_pair(SOCK_STREAM, ends);
	must(dup2(ends[0], number) == number && close(ends[0]) == 0);
	move_parts(number, ends[1], size);
	must(dup2(pipes[1], number) == number);
	must(write(number, buffer, 503) == 503 && read(pipes[0], (char[503]){0}, 503) == 503);
	must(close(number) == 0 && close(ends[1]) == 0 && close(pipes[0]) == 0 && close(pipes[1]) == 0);
}

/* Plain calls on the channel: what it carries counts too, and the test knows how much. */
static void pass(int through, int fd)
{
	char control[CMSG_SPACE(sizeof fd)] = {0}, byte = 0;
	struct iovec part = {&byte, 1};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(header), &fd, sizeof fd);
	must(counted(&tally->sent, sendmsg(through, &message, 0)) == 1);
}

static int take(int through)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec part = {&byte, 1};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
	must(counted(&tally->received, recvmsg(through, &message, 0)) == 1);
	int fd;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
	return fd;
}

static int channels[64][2];

static void by_rights(int thread, size_t size)
{
	int ends[2];
	unix_pair(SOCK_STREAM, ends);
	pass(channels[thread][0], ends[0]);
	must(close(ends[0]) == 0);
	int fd = take(channels[thread][1]);
	move_parts(fd, ends[1], size);
	must(close(fd) == 0 && close(ends[1]) == 0);
}

static const struct way {
	const char *name;
	void (*run)(int thread, size_t size);
} ways[] = {{"accept", by_accept}, {"dup2", by_dup2}, {"kinds", by_kinds}, {"rights", by_rights}, {NULL, NULL}};

static const struct way *way = ways;

static void *run(void *number)
{
	int thread = (int)(size_t)number;
	for (int i = 0; i < rounds; i++)
		way->run(thread, (size_t)(thread * rounds + i + 1));
	return NULL;
}

int main(int argc, char **argv)
{
	must(argc > 3);
	while (way->name && strcmp(way->name, argv[1]) != 0)
		way++;
	int threads = atoi(argv[2]);
	rounds = atoi(argv[3]);
	must(way->name && threads <= 64 && threads * rounds <= 8192);
	tally_open();
	if (strcmp(way->name, "rights") == 0)
		for (int i = 0; i < threads; i++)
			unix_pair(SOCK_STREAM, channels[i]);
	begin(argc, argv);
	pthread_t started[64];
	for (int i = 0; i < threads; i++)
		started[i] = start_thread(run, (void *)(size_t)i);
	for (int i = 0; i < threads; i++)
		must(pthread_join(started[i], NULL) == 0);
	tally_tell();
	return 0;
}
