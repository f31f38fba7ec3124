/* SPDX-License-Identifier: GPL-2.0-or-later
 * A process that has no socket, transfers on pipes and files, and then comes by one: dry HOW. What it does on the same
 * numbers then has to be counted. See the table at the end. */
#include <arpa/inet.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "filter.h"
#include "tally.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#define OP_SOCKET 45 /* IORING_OP_SOCKET, Linux 5.19 */

enum { NEAR = 40, FAR = 41, TIMES = 60, SIZE = 17 };

static char child_stack[1 << 16];

static void plain_pair(int ends[2])
{
	must(pipe(ends) == 0);
	for (int i = 0; i < TIMES; i++)
		must(write(ends[1], buffer, SIZE) == SIZE && read(ends[0], buffer, SIZE) == SIZE);
}

/* The numbers that will be sockets are used, and left to be, a pipe's. */
static void be_dry(void)
{
	int ends[2];

	plain_pair(ends);
	must(dup2(ends[0], NEAR) == NEAR && dup2(ends[1], FAR) == FAR && close(ends[0]) == 0 && close(ends[1]) == 0);
	for (int i = 0; i < TIMES; i++)
		must(write(FAR, buffer, SIZE) == SIZE && read(NEAR, buffer, SIZE) == SIZE);
}

static void use(void)
{
	for (int i = 0; i < TIMES; i++) {
		must(count_write(NEAR, SIZE) == SIZE && count_read(FAR, SIZE) == SIZE);
		must(count_send(FAR, SIZE + 2) == SIZE + 2 && count_recv(NEAR, SIZE + 2) == SIZE + 2);
	}
}

static void place(const int pair[2])
{
	must(dup2(pair[0], NEAR) == NEAR && dup2(pair[1], FAR) == FAR && close(pair[0]) == 0 && close(pair[1]) == 0);
}

static void make(void)
{
	int pair[2];

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	place(pair);
}

static void by_socketpair(void)
{
	make();
	use();
}

static void by_socket(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0), pair[2];

	must(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 1) == 0);
	must(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
	must((pair[0] = socket(AF_INET, SOCK_STREAM, 0)) >= 0);
	must(connect(pair[0], (struct sockaddr *)&address, length) == 0);
	must((pair[1] = accept(listener, NULL, NULL)) >= 0 && close(listener) == 0);
	place(pair);
	use();
}

#ifdef __i386__
static void by_socketcall(void)
{
	int pair[2];
	unsigned long words[] = {AF_UNIX, SOCK_STREAM, 0, (unsigned long)pair};

	must(syscall(SYS_socketcall, 8, words) == 0);
	place(pair);
	use();
}
#endif

static void in_child(void)
{
	pid_t child = fork();

	must(child >= 0);
	if (child == 0) {
		by_socketpair();
		_exit(0);
	}
	must(reap(child) == 0);
	by_socketpair();
}

/* The parent has it when it forks; the child closes it, and uses another one. */
static void before_child(void)
{
	pid_t child;

	make();
	child = fork();
	must(child >= 0);
	if (child == 0) {
		use();
		must(close(NEAR) == 0 && close(FAR) == 0);
		be_dry();
		by_socketpair();
		_exit(0);
	}
	must(reap(child) == 0);
	use();
}

static int run_by_socketpair(void *none)
{
	(void)none;
	by_socketpair();
	return 0;
}

static void in_vfork(void)
{
	pid_t child = clone(run_by_socketpair, child_stack + sizeof child_stack, CLONE_VM | CLONE_VFORK | SIGCHLD,
			    NULL);

	must(child > 0 && reap(child) == 0);
	for (int i = 0; i < TIMES; i++) /* its own numbers are pipes still */
		must(write(FAR, buffer, SIZE) == SIZE && read(NEAR, buffer, SIZE) == SIZE);
	by_socketpair();
}

static int make_for_other(void *none)
{
	(void)none;
	make();
	tally->step = 1;
	return 0;
}

/* Another process makes it, in the fds of both. */
static void by_sharer(void)
{
	pid_t child = clone(make_for_other, child_stack + sizeof child_stack, CLONE_VM | CLONE_FILES | SIGCHLD, NULL);

	must(child > 0 && reap(child) == 0);
	await_step(1);
	use();
}

static int use_of_other(void *none)
{
	(void)none;
	await_step(1);
	use();
	return 0;
}

static void for_sharer(void)
{
	pid_t child = clone(use_of_other, child_stack + sizeof child_stack, CLONE_VM | CLONE_FILES | SIGCHLD, NULL);

	must(child > 0);
	make_for_other(NULL);
	must(reap(child) == 0);
}

/* They are another process's, which made them after it had been born of one without any. */
static void by_getfd(void)
{
	pid_t child = fork();
	int pidfd, pair[2];

	must(child >= 0);
	if (child == 0) {
		make_for_other(NULL);
		await_step(2);
		_exit(0);
	}
	await_step(1);
	must((pidfd = (int)syscall(SYS_pidfd_open, child, 0)) >= 0);
	for (int i = 0; i < 2; i++) {
		pair[i] = (int)syscall(SYS_pidfd_getfd, pidfd, NEAR + i, 0);
		if (pair[i] < 0) {
			fprintf(stderr, "pidfd_getfd: %s\n", strerror(errno));
			kill(child, SIGKILL);
			exit(77);
		}
	}
	place(pair);
	use();
	tally->step = 2;
	must(reap(child) == 0);
}

static void by_message(void)
{
	int over[2], pair[2];
	pid_t child;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, over) == 0);
	child = fork();
	must(child >= 0);
	if (child == 0) {
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
		pass_fd(over[0], pair[0]);
		pass_fd(over[0], pair[1]);
		_exit(0);
	}
	pair[0] = take_fd(over[1]);
	pair[1] = take_fd(over[1]);
	place(pair);
	must(reap(child) == 0);
	use();
}

static void *map_ring(int ring, size_t length, off_t offset)
{
	void *mapped = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, offset);

	must(mapped != MAP_FAILED);
	return mapped;
}

/* A UDP socket that no system call has made. */
static int socket_by_ring(void)
{
	struct io_uring_params p = {0};
	int ring = (int)syscall(SYS_io_uring_setup, 4, &p);
	struct io_uring_sqe *entry;
	char *queue;
	int fd;

	if (ring < 0) {
		fprintf(stderr, "io_uring_setup: %s\n", strerror(errno));
		exit(77);
	}
	queue = map_ring(ring, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe), IORING_OFF_SQ_RING);
	entry = map_ring(ring, p.sq_entries * sizeof *entry, IORING_OFF_SQES);
	*entry = (struct io_uring_sqe){.opcode = OP_SOCKET, .fd = AF_INET, .off = SOCK_DGRAM};
	*(unsigned int *)(void *)(queue + p.sq_off.array) = 0;
	++*(atomic_uint *)(void *)(queue + p.sq_off.tail);
	must(syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) == 1);
	fd = ((struct io_uring_cqe *)(void *)(queue + p.cq_off.cqes))->res;
	must(close(ring) == 0);
	return fd;
}

static void by_ring(void)
{
	struct sockaddr_in address[2] = {
		{.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
		{.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
	};
	socklen_t length = sizeof *address;
	int pair[2];

	for (int i = 0; i < 2; i++) {
		must((pair[i] = socket_by_ring()) >= 0);
		must(bind(pair[i], (struct sockaddr *)&address[i], length) == 0);
		must(getsockname(pair[i], (struct sockaddr *)&address[i], &length) == 0);
	}
	for (int i = 0; i < 2; i++)
		must(connect(pair[i], (struct sockaddr *)&address[1 - i], length) == 0);
	place(pair);
	use();
}

/* Its standard input is one. */
static void by_inheritance(void)
{
	for (int i = 0; i < TIMES; i++)
		must(count_write(STDIN_FILENO, SIZE) == SIZE);
}

static void by_execve(void)
{
	make();
	must(execl("/proc/self/exe", "dry", "executed", NULL) == 0);
}

static void executed(void)
{
	use();
}

/* A thread waits in read(2) on a pipe, and its number becomes a socket's meanwhile. */
static void *read_twice(void *none)
{
	int was = dup(NEAR);

	must(was >= 0);
	tally->step = gettid();
	must(read(NEAR, buffer, SIZE) == SIZE); /* the pipe's */
	must(close(was) == 0);
	await_step(1 << 30);
	must(count_read(NEAR, SIZE) == SIZE); /* the socket's */
	return none;
}

static void while_blocked(void)
{
	pthread_t thread = start_thread(read_twice, NULL);
	int pair[2], pipe_end = dup(FAR);

	await_step(1);
	await_blocked(getpid(), tally->step);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	place(pair);
	must(write(pipe_end, buffer, SIZE) == SIZE && close(pipe_end) == 0);
	must(count_write(FAR, SIZE) == SIZE);
	tally->step = 1 << 30;
	must(pthread_join(thread, NULL) == 0);
	use();
}

/* Threads wait in read(2) on pipes, and come back while the first calls on the socket are made. */
static void *read_pipe(void *end)
{
	char byte;

	must(read(*(int *)end, &byte, 1) == 1);
	return NULL;
}

static void while_waking(void)
{
	enum { READERS = 6 };
	pthread_t threads[READERS];
	int pipes[READERS][2];

	for (int i = 0; i < READERS; i++) {
		plain_pair(pipes[i]);
		threads[i] = start_thread(read_pipe, &pipes[i][0]);
	}
	usleep(20000); /* if one is not there yet, it is as well */
	make();
	for (int i = 0; i < READERS; i++)
		must(write(pipes[i][1], buffer, 1) == 1);
	use();
	for (int i = 0; i < READERS; i++)
		must(pthread_join(threads[i], NULL) == 0);
}

static void *be_busy(void *none)
{
	int ends[2];

	while (tally->step < 1) {
		plain_pair(ends);
		must(close(ends[0]) == 0 && close(ends[1]) == 0);
	}
	chat(SIZE, TIMES);
	return none;
}

static void while_busy(void)
{
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		threads[i] = start_thread(be_busy, NULL);
	usleep(2000);
	make();
	tally->step = 1;
	use();
	for (int i = 0; i < 3; i++)
		must(pthread_join(threads[i], NULL) == 0);
}

static void *chat_together(void *barrier)
{
	pthread_barrier_wait(barrier);
	chat(SIZE, TIMES);
	return NULL;
}

static void all_at_once(void)
{
	pthread_barrier_t barrier;
	pthread_t threads[4];

	must(pthread_barrier_init(&barrier, NULL, 4) == 0);
	for (int i = 0; i < 4; i++)
		threads[i] = start_thread(chat_together, &barrier);
	for (int i = 0; i < 4; i++)
		must(pthread_join(threads[i], NULL) == 0);
}

static void own_filter(void)
{
	install_for(__NR_getppid, SECCOMP_RET_ERRNO | EPERM, 0);
}

static void after_filter(void)
{
	own_filter();
	by_socketpair();
}

static void *filter_this(void *none)
{
	own_filter();
	tally->step = 1;
	await_step(2);
	chat(SIZE, TIMES);
	return none;
}

/* One thread has a filter of its own; another one makes the first socket. */
static void after_filter_of_thread(void)
{
	pthread_t thread = start_thread(filter_this, NULL);

	await_step(1);
	by_socketpair();
	tally->step = 2;
	must(pthread_join(thread, NULL) == 0);
}

/* There is no memory for another filter. */
static void limit(void)
{
	must(setrlimit(RLIMIT_AS, &(struct rlimit){4096, 4096}) == 0);
}

static void without_memory(void)
{
	limit();
	by_socketpair();
	in_child();
}

static void *wait_and_chat(void *none)
{
	await_step(1);
	chat(SIZE, TIMES);
	return none;
}

static void threads_without_memory(void)
{
	pthread_t threads[2] = {start_thread(wait_and_chat, NULL), start_thread(be_busy, NULL)};

	usleep(2000);
	limit();
	make();
	tally->step = 1;
	use();
	for (int i = 0; i < 2; i++)
		must(pthread_join(threads[i], NULL) == 0);
}

static void without_rights(void)
{
	if (geteuid() == 0)
		must(syscall(SYS_setresuid, 65534, 65534, 65534) == 0);
	by_socketpair();
}

static void hidden(void)
{
	must(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
	chat(SIZE, TIMES);
}

static void on_signal(int number)
{
	(void)number;
	syscall(SYS_getppid);
}

/* Timers go off in the middle of the way to the first socket. */
static void under_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	struct itimerval often = {{0, 400}, {0, 400}};

	must(sigaction(SIGALRM, &action, NULL) == 0);
	for (int i = 0; i < 25; i++) {
		pid_t child = fork();

		must(child >= 0);
		if (child == 0) {
			must(setitimer(ITIMER_REAL, &often, NULL) == 0);
			chat(SIZE, 3);
			_exit(0);
		}
		must(reap(child) == 0);
	}
}

static void make_in_handler(int number)
{
	(void)number;
	make();
}

static void in_handler(void)
{
	must(signal(SIGUSR1, make_in_handler) != SIG_ERR && raise(SIGUSR1) == 0);
	use();
}

/* No socket: nothing of this is of any interest. */
static void never(void)
{
	int ends[2], fd;

	plain_pair(ends);
	for (int i = 0; i < 10000; i++) {
		must(write(ends[1], buffer, SIZE) == SIZE && read(ends[0], buffer, SIZE) == SIZE);
		must((fd = open("/dev/null", O_RDWR)) >= 0 && close(fd) == 0);
	}
}

/* It takes the ids that it has. */
static void same_ids(void)
{
	must(setresuid(-1, geteuid(), -1) == 0 && setreuid(getuid(), -1) == 0 && setuid(geteuid()) == 0);
	never();
}

static const struct {
	const char *name;
	void (*run)(void);
} ways[] = {
	{"socketpair", by_socketpair},
	{"socket", by_socket},
#ifdef __i386__
	{"socketcall", by_socketcall},
#endif
	{"child", in_child},
	{"parent", before_child},
	{"vfork", in_vfork},
	{"by_sharer", by_sharer},
	{"for_sharer", for_sharer},
	{"getfd", by_getfd},
	{"message", by_message},
	{"ring", by_ring},
	{"inherited", by_inheritance},
	{"execve", by_execve},
	{"executed", executed},
	{"blocked", while_blocked},
	{"waking", while_waking},
	{"busy", while_busy},
	{"at_once", all_at_once},
	{"filter", after_filter},
	{"thread_filter", after_filter_of_thread},
	{"no_memory", without_memory},
	{"threads_no_memory", threads_without_memory},
	{"no_rights", without_rights},
	{"hidden", hidden},
	{"signals", under_signals},
	{"handler", in_handler},
	{"never", never},
	{"same_ids", same_ids},
};

int main(int argc, char **argv)
{
	must(argc > 1);
	tally_open();
	if (strcmp(argv[1], "executed") != 0 && strcmp(argv[1], "inherited") != 0)
		be_dry();
	for (unsigned int i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		if (strcmp(argv[1], ways[i].name) == 0) {
			ways[i].run();
			tally_tell();
			return 0;
		}
	}
	return 99;
}
