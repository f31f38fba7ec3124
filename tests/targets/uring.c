/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: uring MODE
 * send: 211 bytes over a TCP connection by io_uring, or by send if io_uring_setup is refused; then it says so first.
 * refused: io_uring_setup with 0 entries is EINVAL, whatever the tracer; the program goes on with send. */
#include "sockets.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static char bytes[211];
static int pair[2];

static char *ring(int fd, size_t length, off_t offset)
{
	void *mapped = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, offset);

	must(mapped != MAP_FAILED);
	return mapped;
}

/* One submission, one completion: io_uring(7). */
static ssize_t send_by_ring(int fd, const struct io_uring_params *params)
{
	char *submissions = ring(fd, params->sq_off.array + params->sq_entries * 4, IORING_OFF_SQ_RING);
	char *completions = ring(fd, params->cq_off.cqes + params->cq_entries * sizeof(struct io_uring_cqe),
				 IORING_OFF_CQ_RING);
	struct io_uring_sqe *entries = (void *)ring(fd, params->sq_entries * sizeof(struct io_uring_sqe),
						    IORING_OFF_SQES);
	struct io_uring_cqe *results = (void *)(completions + params->cq_off.cqes);
	unsigned int *tail = (void *)(submissions + params->sq_off.tail);

	memset(&entries[0], 0, sizeof entries[0]);
	entries[0].opcode = IORING_OP_SEND;
	entries[0].fd = pair[0];
	entries[0].addr = (__u64)(unsigned long)bytes;
	entries[0].len = sizeof bytes;
	*(unsigned int *)(void *)(submissions + params->sq_off.array) = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	must(syscall(SYS_io_uring_enter, fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) == 1);
	return results[0].res;
}

static void by_send(void)
{
	sent(send(pair[0], bytes, sizeof bytes, 0));
}

static void send_mode(void)
{
	struct io_uring_params params = {0};
	int fd;

	tcp_pair(pair);
	fd = (int)syscall(SYS_io_uring_setup, 4, &params);
	if (fd < 0) {
		printf("io_uring_setup: %s\n", strerrorname_np(errno));
		by_send();
	} else {
		must(sent(send_by_ring(fd, &params)) == sizeof bytes);
	}
	received(recv(pair[1], bytes, sizeof bytes, MSG_WAITALL));
	close(pair[0]);
	close(pair[1]);
}

static void refused_mode(void)
{
	struct io_uring_params params = {0};

	tcp_pair(pair);
	must(syscall(SYS_io_uring_setup, 0, &params) == -1);
	by_send();
	received(recv(pair[1], bytes, sizeof bytes, MSG_WAITALL));
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = {{"send", send_mode}, {"refused", refused_mode}, {NULL, NULL}};

	return run_mode(modes, argc > 1 ? argv[1] : NULL);
}
