/* SPDX-License-Identifier: GPL-2.0-or-later
 * 4 GiB and 17 bytes over a unix socket pair, from a child to its parent: more than 32 bits can count. */
#include "sockets.h"

#include <sys/mman.h>
#include <sys/wait.h>

static const size_t chunk = (size_t)64 << 20;
static const unsigned long long total = (4ULL << 30) + 17;

static void *memory(void)
{
	void *mapped = mmap(NULL, chunk, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(mapped != MAP_FAILED);
	return mapped;
}

static size_t next(unsigned long long done)
{
	return total - done < chunk ? (size_t)(total - done) : chunk;
}

static void child(int fd)
{
	void *bytes = memory();

	while (all_sent < total)
		sent(write(fd, bytes, next(all_sent)));
	_exit(0);
}

int main(void)
{
	void *bytes = memory();
	int pair[2], status;
	pid_t pid;

	unix_pair(SOCK_STREAM, pair);
	pid = fork();
	must(pid >= 0);
	if (pid == 0)
		child(pair[0]);
	while (all_received < total)
		received(recv(pair[1], bytes, next(all_received), MSG_WAITALL));
	must(waitpid(pid, &status, 0) == pid && status == 0);
	tell(total, all_received);
	return 0;
}
