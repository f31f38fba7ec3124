/* SPDX-License-Identifier: GPL-2.0-or-later
 * Processes that may not be looked at, and use write and read on fds of all kinds.
 *   asked kinds       TCP, UDP, unix sockets and files; sendfile and splice; the same in a child
 *   asked closed      calls on numbers that name nothing, and then something
 *   asked sandboxed   an own seccomp filter kills for any call but a few
 *   asked signalled   signals arrive all the time; none is lost, no call is cut short
 *   asked flipped     another thread puts a file and a socket in one fd's place, turn about
 *   asked registers   what a call is made with is there still when it has returned
 *   asked crowded     threads open, use and close sockets at the same time
 *   asked raced       another thread opens and closes one fd all the time, a third uses it
 *   asked forever     goes on until there is something on stdin
 * With "wait" as the last argument: see begin.h. */
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>

#include "begin.h"
#include "files.h"
#include "filter.h"

enum { ROUNDS = 300, FLIPS = 60, LEAST_SIGNALS = 50, CROWD = 8, PLACE = 100 };

static void hide(void)
{
	must(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
}

static void tcp_pair(int family, int ends[2])
{
	struct sockaddr_storage address = {.ss_family = (sa_family_t)family};
	socklen_t length = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	int listener = socket(family, SOCK_STREAM, 0);

	if (family == AF_INET)
		((struct sockaddr_in *)&address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		((struct sockaddr_in6 *)&address)->sin6_addr = in6addr_loopback;
	must(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 1) == 0);
	must(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
	ends[0] = socket(family, SOCK_STREAM, 0);
	must(connect(ends[0], (struct sockaddr *)&address, length) == 0);
	ends[1] = accept(listener, NULL, NULL);
	must(ends[1] >= 0 && close(listener) == 0);
}

static void udp_pair(int ends[2])
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;

	for (int i = 0; i < 2; i++) {
		ends[i] = socket(AF_INET, SOCK_DGRAM, 0);
		must(bind(ends[i], (struct sockaddr *)&address, length) == 0);
		address.sin_port = 0;
	}
	must(getsockname(ends[1], (struct sockaddr *)&address, &length) == 0);
	must(connect(ends[0], (struct sockaddr *)&address, length) == 0);
}

static void use_and_close(int ends[2], size_t size)
{
	for (int i = 0; i < 3; i++)
		use_pair(ends[0], ends[1], size);
	must(close(ends[0]) == 0 && close(ends[1]) == 0);
}

static void use_kinds(void)
{
	int ends[2], file = open_file(), pipes[2];

	use_file(file);
	tcp_pair(AF_INET, ends);
	must(lseek(file, 0, SEEK_SET) == 0 && sendfile(ends[0], file, NULL, 19) == 19);
	must(pipe(pipes) == 0 && splice(ends[1], NULL, pipes[1], NULL, 19, 0) == 19 &&
	     read(pipes[0], buffer, 19) == 19);
	tally->sent += 19;
	tally->received += 19;
	tally->calls += 2;
	use_and_close(ends, 101);
	tcp_pair(AF_INET6, ends);
	use_and_close(ends, 103);
	udp_pair(ends);
	use_and_close(ends, 107);
	for (int i = 0; i < 2; i++) {
		must(socketpair(AF_UNIX, i ? SOCK_DGRAM : SOCK_STREAM, 0, ends) == 0);
		use_and_close(ends, 109);
	}
	use_file(file);
	must(close(file) == 0 && close(pipes[0]) == 0 && close(pipes[1]) == 0);
}

static void kinds(void)
{
	use_kinds();
	pid_t child = fork();
	if (child == 0) {
		use_kinds();
		_exit(0);
	}
	must(reap(child) == 0);
}

static void closed(void)
{
	int ends[2], file = open_file();

	for (int i = 0; i < 3; i++) {
		must(write(PLACE, buffer, 7) == -1 && errno == EBADF && read(PLACE, buffer, 7) == -1 && errno == EBADF);
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 && dup2(ends[0], PLACE) == PLACE);
		use_pair(PLACE, ends[1], 31);
		must(dup2(file, PLACE) == PLACE);
		use_file(PLACE);
		use_and_close(ends, 31);
		must(close(PLACE) == 0);
	}
}

static void sandboxed(void)
{
	static const unsigned int allowed[] = {__NR_read,	__NR_write, __NR_sendto,       __NR_recvfrom,
					       __NR_socketpair, __NR_close, __NR_rt_sigreturn, __NR_exit_group};
	enum { COUNT = sizeof allowed / sizeof *allowed };
	struct sock_filter code[2 + 2 * COUNT] = {LOAD(nr)};
	int ends[2];

	for (int i = 0; i < COUNT; i++) {
		code[1 + 2 * i] = (struct sock_filter)SKIP_UNLESS(allowed[i], 1);
		code[2 + 2 * i] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
	}
	code[1 + 2 * COUNT] = (struct sock_filter)RETURN(SECCOMP_RET_KILL_PROCESS);
	install(0, code, 2 + 2 * COUNT);
	chat(13, 3);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	/* Nobody can know what these are, and what is not known is not told. */
	must(write(ends[0], buffer, 11) == 11 && read(ends[1], buffer, 11) == 11);
}

/* In memory that the sender shares. */
static struct {
	atomic_int sent, arrived, wrong, over;
} *signals;

static void on_signal(int number, siginfo_t *info, void *context)
{
	(void)number, (void)context;
	signals->wrong |= info->si_value.sival_int != signals->arrived;
	signals->arrived++;
}

static void send_signals(pid_t to)
{
	while (!signals->over) {
		must(sigqueue(to, SIGRTMIN, (union sigval){.sival_int = signals->sent}) == 0);
		signals->sent++;
		while (signals->arrived < signals->sent && !signals->over)
			sched_yield();
	}
}

static void signalled(void)
{
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
	int ends[2];

	signals = mmap(NULL, sizeof *signals, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(signals != MAP_FAILED && sigaction(SIGRTMIN, &action, NULL) == 0);
	pid_t parent = getpid(), child = fork();
	if (child == 0) {
		/* Who is killed says no more that it is over. */
		must(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0);
		if (getppid() != parent)
			_exit(1);
		send_signals(parent);
		_exit(0);
	}
	for (int i = 0; i < ROUNDS || signals->arrived < LEAST_SIGNALS; i++) {
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
		use_and_close(ends, 17);
	}
	action.sa_flags |= SA_RESTART; /* for waitpid */
	must(sigaction(SIGRTMIN, &action, NULL) == 0);
	signals->over = 1;
	must(reap(child) == 0 && !signals->wrong && signals->arrived == signals->sent);
}

/* All that a call is made with is there still when it has returned. */
static void check_registers(int fd)
{
#if defined(__x86_64__)
	register long r10 __asm__("r10") = 0x1010, r8 __asm__("r8") = 0x808, r9 __asm__("r9") = 0x909;
	register long r12 __asm__("r12") = 0x1212, r15 __asm__("r15") = 0x1515;
	long result = SYS_write, first = fd, size = 23;
	void *from = buffer;

	__asm__ volatile("syscall"
			 : "+a"(result), "+D"(first), "+S"(from), "+d"(size), "+r"(r10), "+r"(r8), "+r"(r9), "+r"(r12),
			   "+r"(r15)
			 :
			 : "rcx", "r11", "memory");
	must(result == 23 && first == fd && from == buffer && size == 23 && r10 == 0x1010 && r8 == 0x808);
	must(r9 == 0x909 && r12 == 0x1212 && r15 == 0x1515);
#else
	must(write(fd, buffer, 23) == 23);
#endif
}

static void registers(void)
{
	int ends[2], file = open_file();

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	check_registers(ends[0]);
	check_registers(file);
	tally->sent += 23;
	tally->calls++;
	must(count_read(ends[1], 23) == 23);
}

static void *use_many(void *size)
{
	int ends[2];

	for (int i = 0; i < ROUNDS; i++) {
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
		use_and_close(ends, (size_t)size);
	}
	return NULL;
}

static void crowded(void)
{
	pthread_t threads[CROWD];

	for (size_t i = 0; i < CROWD; i++)
		threads[i] = start_thread(use_many, (void *)(i + 1));
	for (size_t i = 0; i < CROWD; i++)
		pthread_join(threads[i], NULL);
}

/* Whose turn it is: even, the thread that uses the fd; odd, the one that replaces it. */
static void await_turn(int turn)
{
	while (tally->step != turn)
		sched_yield();
}

static void *flip(void *unused)
{
	int file = open_file();

	(void)unused;
	for (int i = 0; i < FLIPS; i++) {
		await_turn(2 * i + 1);
		must(dup2(i % 2 ? pair[0] : file, PLACE) == PLACE);
		tally->step++;
	}
	return NULL;
}

static void flipped(void)
{
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && dup2(pair[0], PLACE) == PLACE);
	pthread_t thread = start_thread(flip, NULL);
	for (int i = 0; i < FLIPS; i++) {
		await_turn(2 * i);
		if (i % 2 == 0)
			use_pair(PLACE, pair[1], 41);
		else
			must(write(PLACE, buffer, 43) == 43);
		tally->step++;
	}
	pthread_join(thread, NULL);
}

static void *open_and_close(void *unused)
{
	(void)unused;
	for (int i = 0; i < ROUNDS; i++)
		must(dup2(pair[0], PLACE) == PLACE && close(PLACE) == 0);
	tally->step = 1;
	return NULL;
}

static void raced(void)
{
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
	pthread_t thread = start_thread(open_and_close, NULL);
	while (tally->step == 0) {
		if (write(PLACE, buffer, 5) == 5)
			tally->sent += 5;
		ssize_t got = read(pair[1], buffer, sizeof buffer);
		if (got > 0)
			tally->received += (unsigned long long)got;
	}
	pthread_join(thread, NULL);
}

/* Until it reads another byte. */
static void forever(void)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	int ends[2];

	for (int i = 0; poll(&input, 1, 0) == 0; i++) {
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
		use_and_close(ends, 17);
		if (i == ROUNDS)
			must(write(STDOUT_FILENO, "goes on\n", 8) == 8);
	}
}

static const struct {
	const char *name;
	void (*run)(void);
} modes[] = {
	{"forever", forever},	  {"crowded", crowded}, {"registers", registers},
	{"kinds", kinds},	  {"closed", closed},	{"sandboxed", sandboxed},
	{"signalled", signalled}, {"flipped", flipped}, {"raced", raced},
};

int main(int argc, char **argv)
{
	must(argc > 1);
	tally_open();
	begin(argc, argv);
	hide();
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
		if (strcmp(argv[1], modes[i].name) == 0)
			modes[i].run();
	tally_tell();
	return 0;
}
