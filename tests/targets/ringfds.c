/* SPDX-License-Identifier: GPL-2.0-or-later
 * fds that io_uring closes and installs: no system call of the program's tells of it. The number of a socket, used by
 * write and read, becomes a file's that is used the same way, and a socket's again.
 *   ringfds own        by a ring of its own, while another thread is blocked in read
 *   ringfds polled     by the kernel's own thread (IORING_SETUP_SQPOLL)
 *   ringfds forked     a child uses the ring of its parent on its own fds
 *   ringfds executed   a program uses the ring that the one before has left open
 *   ringfds got        pidfd_getfd has got the ring from another process
 * With "wait" as the last argument the ring is there before the target is ready (see begin.h). */
#include <linux/io_uring.h>
#include <stdbool.h>

#include "begin.h"
#include "files.h"

#define TIMES 120
#define RING_FD 191
#define OP_FIXED_FD_INSTALL 54 /* IORING_OP_FIXED_FD_INSTALL, Linux 6.8 */

static struct io_uring_params parameters;
static int other[2];

static void *map(size_t length, off_t offset)
{
	void *mapped = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, RING_FD, offset);

	must(mapped != MAP_FAILED);
	return mapped;
}

static void make_ring(unsigned int flags)
{
	int fd;

	parameters = (struct io_uring_params){.flags = flags, .sq_thread_idle = 100};
	fd = (int)syscall(SYS_io_uring_setup, 4, &parameters);
	if (fd < 0) {
		fprintf(stderr, "io_uring_setup: %s\n", strerror(errno));
		exit(77);
	}
	must(dup2(fd, RING_FD) == RING_FD && close(fd) == 0);
	/* For who gets the ring without having made it. */
	must(pwrite(TALLY_FD, &parameters, sizeof parameters, 4096) == sizeof parameters);
}

/* One submission, one completion: io_uring(7). */
static int submit(const struct io_uring_sqe *entry)
{
	static char *ring;
	static struct io_uring_sqe *entries;
	bool polled = parameters.flags & IORING_SETUP_SQPOLL;
	atomic_uint *tail, *head, *done;
	unsigned int index;
	int result;

	if (!ring) {
		/* Since Linux 5.4 one mapping has both. */
		ring = map(parameters.cq_off.cqes + parameters.cq_entries * sizeof(struct io_uring_cqe),
			   IORING_OFF_SQ_RING);
		entries = map(parameters.sq_entries * sizeof *entries, IORING_OFF_SQES);
	}
	tail = (void *)(ring + parameters.sq_off.tail);
	head = (void *)(ring + parameters.cq_off.head);
	done = (void *)(ring + parameters.cq_off.tail);
	index = *tail & (parameters.sq_entries - 1);
	entries[index] = *entry;
	((unsigned int *)(void *)(ring + parameters.sq_off.array))[index] = index;
	++*tail;
	must(syscall(SYS_io_uring_enter, RING_FD, 1, 1, IORING_ENTER_GETEVENTS | (polled ? IORING_ENTER_SQ_WAKEUP : 0u),
		     NULL, 0) == 1);
	while (*done == *head)
		usleep(100);
	result = ((struct io_uring_cqe *)(void *)(ring + parameters.cq_off.cqes))[*head & (parameters.cq_entries - 1)]
			 .res;
	++*head;
	return result;
}

static void close_by_ring(int fd)
{
	must(submit(&(struct io_uring_sqe){.opcode = IORING_OP_CLOSE, .fd = fd}) == 0);
}

static void rally(int sender, int receiver)
{
	for (int i = 0; i < TIMES; i++)
		use_pair(sender, receiver, 13);
}

static void change_by_ring(void)
{
	struct io_uring_sqe open = {.opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = (size_t)"/tmp", .len = 0600};
	struct io_uring_sqe install = {.opcode = OP_FIXED_FD_INSTALL, .fd = 0, .flags = IOSQE_FIXED_FILE};
	int spare = pair[0], result;

	must(syscall(SYS_io_uring_register, RING_FD, IORING_REGISTER_FILES, &spare, 1) == 0);
	open.open_flags = O_TMPFILE | O_RDWR;
	close_by_ring(pair[0]);
	must(submit(&open) == pair[0]);
	for (int i = 0; i < TIMES; i++)
		use_file(pair[0]);
	close_by_ring(pair[0]);
	result = submit(&install);
	if (result == -EINVAL)
		return; /* the kernel is older */
	must(result == pair[0]);
	rally(pair[0], pair[1]);
}

static void *wait_to_read(void *none)
{
	for (int i = 0; i < TIMES; i++)
		use_pair(other[0], other[1], 7);
	tally->step = gettid();
	must(count_read(other[1], 41) == 41);
	return none;
}

static void own(bool early)
{
	pthread_t thread = start_thread(wait_to_read, NULL);

	await_step(1);
	await_blocked(getpid(), tally->step);
	rally(pair[0], pair[1]);
	if (!early)
		make_ring(0);
	change_by_ring();
	must(count_write(other[0], 41) == 41);
	must(pthread_join(thread, NULL) == 0);
}

static void in_child(void)
{
	pid_t child = fork();

	if (child == 0) {
		rally(pair[0], pair[1]);
		change_by_ring();
		_exit(0);
	}
	must(reap(child) == 0);
	rally(pair[0], pair[1]);
}

static void get(void)
{
	pid_t child = fork();
	int ring, handle;

	if (child == 0) {
		make_ring(0);
		tally->step = 1;
		await_step(2);
		_exit(0);
	}
	rally(pair[0], pair[1]);
	await_step(1);
	handle = (int)syscall(SYS_pidfd_open, child, 0);
	ring = (int)syscall(SYS_pidfd_getfd, handle, RING_FD, 0);
	must(ring >= 0 && dup2(ring, RING_FD) == RING_FD && close(ring) == 0 && close(handle) == 0);
	must(pread(TALLY_FD, &parameters, sizeof parameters, 4096) == sizeof parameters);
	change_by_ring();
	tally->step = 2;
	must(reap(child) == 0);
}

static void execute(char *program)
{
	make_ring(0);
	rally(pair[0], pair[1]);
	must(fcntl(RING_FD, F_SETFD, 0) == 0);
	execl(program, program, "again", NULL);
	must(!"execl");
}

static void again(void)
{
	must(pread(TALLY_FD, &parameters, sizeof parameters, 4096) == sizeof parameters);
	rally(pair[0], pair[1]);
	change_by_ring();
}

int main(int argc, char **argv)
{
	bool early = argc > 2;

	must(argc > 1);
	tally_open();
	if (early)
		make_ring(strcmp(argv[1], "polled") == 0 ? IORING_SETUP_SQPOLL : 0);
	begin(argc, argv);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, other) == 0);
	if (strcmp(argv[1], "own") == 0) {
		own(early);
	} else if (strcmp(argv[1], "polled") == 0) {
		rally(pair[0], pair[1]);
		if (!early)
			make_ring(IORING_SETUP_SQPOLL);
		change_by_ring();
	} else if (strcmp(argv[1], "forked") == 0) {
		if (!early)
			make_ring(0);
		in_child();
	} else if (strcmp(argv[1], "executed") == 0) {
		execute(argv[0]);
	} else if (strcmp(argv[1], "again") == 0) {
		again();
	} else {
		get();
	}
	tally_tell();
	return 0;
}
