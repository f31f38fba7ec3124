/* SPDX-License-Identifier: GPL-2.0-or-later
 * Threads that transfer as fast as they can on sockets that they were given, until death hits them in the middle.
 *   flood send|recv exit|kill|exec|wait FD...
 * Whoever holds the other ends counts. After 2 MB the main thread ends the process by exit_group or SIGKILL, or
 * executes a program, which ends the other threads; with "wait" it says "enough" and leaves that to somebody else. */
#include <signal.h>
#include <sys/uio.h>

#include "tally.h"

static int sending;

/* Each thread uses another call; chunks are larger than a socket's queue, so that calls block half-way. */
static ssize_t transfer(int fd, size_t kind)
{
	static char chunk[600 * 1024];
	struct iovec parts[2] = {{chunk, 400 * 1024}, {chunk, 200 * 1024}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	switch (kind % 4) {
	case 0:
		return sending ? send(fd, chunk, sizeof chunk, 0) : recv(fd, chunk, sizeof chunk, 0);
	case 1:
		return sending ? sendmsg(fd, &message, 0) : recvmsg(fd, &message, MSG_WAITALL);
	case 2:
		return sending ? write(fd, chunk, sizeof chunk) : read(fd, chunk, sizeof chunk);
	default:
		return sending ? writev(fd, parts, 2) : readv(fd, parts, 2);
	}
}

static char **words;

static void *flood(void *number)
{
	size_t i = (size_t)number;
	int fd = atoi(words[i]);
	for (;;) {
		ssize_t moved = transfer(fd, i);
		must(moved > 0);
		tally->sent += (unsigned long long)moved; /* either way */
	}
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc == 1)
		return 9; /* executed */
	must(argc > 3);
	tally_open();
	sending = strcmp(argv[1], "send") == 0;
	words = argv + 3;
	for (size_t i = 0; words[i] != NULL; i++)
		start_thread(flood, (void *)i);
	while (tally->sent < 2000000)
		usleep(100);
	if (strcmp(argv[2], "wait") == 0) {
		puts("enough");
		fflush(stdout);
		pause();
	}
	if (strcmp(argv[2], "exec") == 0)
		execl("/proc/self/exe", "flood", NULL);
	if (strcmp(argv[2], "kill") == 0)
		raise(SIGKILL);
	_exit(9);
}
