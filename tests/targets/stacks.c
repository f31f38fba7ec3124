/* SPDX-License-Identifier: GPL-2.0-or-later
 * Stacks that are not where a thread library puts them.
 *   stacks switched restart|plain [wait]   a handler leaves for another stack and comes back; below it waits a read
 *   stacks handled restart|plain [wait]    so many handlers under way at once, each on its own stack
 *   stacks beside THREADS [wait]           stacks side by side in one mapping; tells the longest pause of all, in ms
 *   stacks asked [wait]                    userfaultfd(2) again: another thread answers for the address of a connect
 *   stacks guarded [wait]                  what is above a stack comes from userfaultfd(2), and nobody answers */
#include <linux/userfaultfd.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <ucontext.h>

#include "begin.h"

enum { DEPTH = 300, EACH = 64 << 10, GUARDED = 8 << 20, THREADS_MOST = 1024, TOO_LITTLE = 77 };

static int pair[2], pipes[DEPTH][2], deepest;
static ucontext_t contexts[DEPTH + 1];
static volatile int depth;

static void converse(int rounds)
{
	for (int i = 0; i < rounds; i++) {
		must(counted(&tally->sent, write(pair[0], buffer, 3)) == 3);
		must(counted(&tally->received, read(pair[1], buffer, 3)) == 3);
	}
}

static void alarm_soon(void)
{
	struct itimerval once = {.it_value.tv_usec = 2000};
	must(setitimer(ITIMER_REAL, &once, NULL) == 0);
}

/* Waits, on the stack of this depth, in a read that the handler interrupts. */
static void wait_in_read(void)
{
	int mine = depth;
	ssize_t got;
	char byte;

	alarm_soon();
	while ((got = read(pipes[mine][0], &byte, 1)) < 0 && errno == EINTR)
		;
	must(got == 1 && byte == (char)mine);
}

/* The deepest one lets all reads end, and each stack the one above it go on in its handler. */
static void run(void)
{
	if (depth < deepest) {
		wait_in_read();
	} else {
		converse(200); /* long enough to be counted inside the program from now on */
		for (int i = 0; i < deepest; i++)
			must(write(pipes[i][1], &(char){(char)i}, 1) == 1);
	}
	depth--;
	setcontext(&contexts[depth]);
}

static void leave(int number)
{
	int mine = depth++;

	(void)number;
	must(getcontext(&contexts[depth]) == 0);
	contexts[depth].uc_stack.ss_sp = malloc(EACH);
	contexts[depth].uc_stack.ss_size = EACH;
	must(contexts[depth].uc_stack.ss_sp != NULL);
	makecontext(&contexts[depth], run, 0);
	must(swapcontext(&contexts[mine], &contexts[mine + 1]) == 0);
}

static void switched(int flags, int most)
{
	struct sigaction action = {.sa_handler = leave, .sa_flags = flags | SA_NODEFER};

	deepest = most;
	for (int i = 0; i < most; i++)
		must(pipe(pipes[i]) == 0);
	must(sigaction(SIGALRM, &action, NULL) == 0);
	wait_in_read();
	must(depth == 0);
	converse(100);
	tally_tell();
}

static int idle[THREADS_MOST][2];
static atomic_int ends;
static double longest;

static void *rest(void *fds)
{
	char byte;
	while (recv(((int *)fds)[1], &byte, 1, 0) > 0)
		;
	return NULL;
}

static double seconds(void)
{
	struct timespec now;
	must(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void *beat(void *none)
{
	for (double last = seconds(), now; !ends; last = now) {
		usleep(1000);
		now = seconds();
		if (now - last > longest)
			longest = now - last;
	}
	return none;
}

static void *map(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	must(at != MAP_FAILED);
	return at;
}

static pthread_t start_on(char *stack, void *(*what)(void *), void *with)
{
	pthread_attr_t attributes;
	pthread_t thread;

	must(pthread_attr_init(&attributes) == 0 && pthread_attr_setstack(&attributes, stack, EACH) == 0);
	must(pthread_create(&thread, &attributes, what, with) == 0);
	return thread;
}

static void converse_slowly(void)
{
	for (int i = 0; i < 150; i++) {
		converse(2);
		usleep(500);
	}
}

static void beside(int threads, int argc, char **argv)
{
	pthread_t heart;
	char *stacks = map((size_t)threads * EACH + (16 << 20));

	for (int i = 0; i < threads; i++) {
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, idle[i]) == 0);
		start_on(stacks + (size_t)i * EACH, rest, idle[i]);
	}
	begin(argc, argv);
	heart = start_thread(beat, NULL);
	converse_slowly();
	ends = 1;
	must(pthread_join(heart, NULL) == 0);
	printf("{\"sent\": %llu, \"received\": %llu, \"pause\": %.0f}\n", tally->sent, tally->received, longest * 1e3);
	fflush(stdout);
	_exit(0); /* the others have received nothing, and their last calls are no one's */
}

/* From now on a page of this range that is not there is asked for. */
static int guard(char *range, size_t size)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register all = {
		.range = {.start = (unsigned long)range, .len = size},
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd < 0) {
		fputs("userfaultfd(2) is not allowed\n", stderr);
		exit(TOO_LITTLE);
	}
	must(ioctl(fd, UFFDIO_API, &api) == 0 && ioctl(fd, UFFDIO_REGISTER, &all) == 0);
	return fd;
}

static void guarded(int argc, char **argv)
{
	char *stack = map(GUARDED);

	memset(stack, 1, EACH);
	guard(stack, GUARDED);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, idle[0]) == 0);
	pthread_t thread = start_on(stack, rest, idle[0]);
	begin(argc, argv);
	converse_slowly();
	must(shutdown(idle[0][0], SHUT_WR) == 0 && pthread_join(thread, NULL) == 0);
	tally->calls++; /* of the thread: it received the end */
	tally_tell();
}

static char *page, filled[4096];
static int asked_fd;

/* Answers for the page; each of its calls may stop before the tracer. */
static void *answer(void *none)
{
	struct pollfd waits = {.fd = asked_fd, .events = POLLIN};
	struct uffd_msg message;
	struct sockaddr_un *address = (struct sockaddr_un *)filled;
	struct uffdio_copy copy = {.dst = (unsigned long)page, .src = (unsigned long)filled, .len = 4096};

	*address = (struct sockaddr_un){.sun_family = AF_UNIX, .sun_path = "/nothing is here"};
	must(poll(&waits, 1, -1) == 1 && read(asked_fd, &message, sizeof message) == sizeof message);
	must(ioctl(asked_fd, UFFDIO_COPY, &copy) == 0);
	return none;
}

/* The address of a connect comes from a page that another thread has to fill first. */
static void asked(int argc, char **argv)
{
	pthread_t thread;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	page = map(4096);
	asked_fd = guard(page, 4096);
	thread = start_thread(answer, NULL);
	begin(argc, argv);
	converse(100);
	must(fd >= 0 && connect(fd, (struct sockaddr *)page, sizeof(struct sockaddr_un)) < 0 && errno == ENOENT);
	must(pthread_join(thread, NULL) == 0);
	converse(100);
	tally_tell();
}

int main(int argc, char **argv)
{
	must(argc > 1);
	tally_open();
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	if (strcmp(argv[1], "beside") == 0)
		beside(atoi(argv[2]), argc, argv);
	if (strcmp(argv[1], "guarded") == 0) {
		guarded(argc, argv);
		return 0;
	}
	if (strcmp(argv[1], "asked") == 0) {
		asked(argc, argv);
		return 0;
	}
	must(argc > 2);
	begin(argc, argv);
	switched(strcmp(argv[2], "restart") == 0 ? SA_RESTART : 0, strcmp(argv[1], "switched") == 0 ? 1 : DEPTH);
	return 0;
}
