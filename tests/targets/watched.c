/* SPDX-License-Identifier: GPL-2.0-or-later
 * Makes system calls one by one, and says on a line of its own what each came to: its result, or -errno.
 *   watched [-w] WORK [ARGUMENT...]     -w: says "ready", and begins when a line comes from stdin
 * Calls are made by syscall(2), so that they are the ones that they are called. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "tell.h"

static void say(long result)
{
	printf("%ld\n", result < 0 ? -(long)errno : result);
	fflush(stdout);
}

static struct sockaddr_in address_of(const char *text)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(9)};

	must(inet_pton(AF_INET, text, &address.sin_addr) == 1);
	return address;
}

/* openat: opens each path. */
static void open_all(char **paths)
{
	for (; *paths; paths++) {
		int fd = (int)syscall(SYS_openat, AT_FDCWD, *paths, O_RDONLY, 0);

		say(fd < 0 ? fd : 0);
		if (fd >= 0)
			close(fd);
	}
}

/* execve: each program, by a child; says its exit status, or the errno of the execve. */
static void execute_all(char **programs)
{
	for (; *programs; programs++) {
		char *argv[] = {*programs, "an argument", NULL}, *envp[] = {"A=B", NULL};
		int status;
		pid_t pid = fork();

		must(pid >= 0);
		if (pid == 0) {
			syscall(SYS_execve, *programs, argv, envp);
			_exit(errno);
		}
		must(waitpid(pid, &status, 0) == pid);
		say(WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status));
	}
}

static void *execute(void *program)
{
	char *argv[] = {program, "by a thread", NULL}, *envp[] = {NULL};

	syscall(SYS_execve, program, argv, envp);
	say(-1);
	return NULL;
}

/* thread-execve: becomes the program, from a thread that is not the leader. */
static void execute_in_thread(char **programs)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, execute, *programs) == 0);
	pthread_join(thread, NULL);
}

/* connect: a datagram socket to each address, which sends nothing. */
static void connect_all(char **addresses)
{
	for (; *addresses; addresses++) {
		struct sockaddr_in to = address_of(*addresses);
		int fd = socket(AF_INET, SOCK_DGRAM, 0);

		must(fd >= 0);
#if defined(__i386__)
		uint32_t words[3] = {(uint32_t)fd, (uint32_t)(uintptr_t)&to, sizeof to};

		say(syscall(SYS_socketcall, 3, words));
#endif
		say(syscall(SYS_connect, fd, &to, sizeof to));
		close(fd);
	}
}

/* send: a datagram of 7 bytes to each address: by sendto, by sendmsg, and two by sendmmsg. */
static void send_all(char **addresses)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	must(fd >= 0);
	for (; *addresses; addresses++) {
		struct sockaddr_in to = address_of(*addresses);
		struct iovec part = {"payload", 7};
		struct msghdr message = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &part, .msg_iovlen = 1};
		struct mmsghdr messages[2] = {{.msg_hdr = message}, {.msg_hdr = message}};

		say(syscall(SYS_sendto, fd, "payload", 7, 0, &to, sizeof to));
		say(syscall(SYS_sendmsg, fd, &message, 0));
		say(syscall(SYS_sendmmsg, fd, messages, 2, 0));
#if defined(__i386__)
		uint32_t words[6] = {(uint32_t)fd, (uint32_t)(uintptr_t)"payload", 7, 0, (uint32_t)(uintptr_t)&to,
				     sizeof to};

		say(syscall(SYS_socketcall, 11, words));
#endif
	}
}

/* socket: one of each family, by number. */
static void make_sockets(char **families)
{
	for (; *families; families++) {
		int fd = (int)syscall(SYS_socket, atoi(*families), SOCK_DGRAM, 0);

		say(fd < 0 ? fd : 0);
	}
}

static pid_t parent;
static int wrong;

static void *ask_often(void *times)
{
	for (intptr_t i = 0; i < (intptr_t)times; i++)
		if (syscall(SYS_getppid) != parent)
			__atomic_add_fetch(&wrong, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/* getppid THREADS TIMES: says how often the answer was not the parent's pid. */
static void ask(char **arguments)
{
	int count = atoi(arguments[0]);
	pthread_t threads[64];

	parent = getppid();
	for (int i = 0; i < count; i++)
		must(pthread_create(&threads[i], NULL, ask_often, (void *)(intptr_t)atoi(arguments[1])) == 0);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	say(wrong);
}

/* pair: 5 bytes through a socketpair; says what write and read return, and whether the bytes are those. */
static void pass_bytes(char **arguments)
{
	char bytes[6] = "";
	int ends[2];

	(void)arguments;
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
	say(syscall(SYS_write, ends[0], "hello", 5));
	say(syscall(SYS_read, ends[1], bytes, 5));
	say(strcmp(bytes, "hello") == 0);
}

static int fds[2];

static void on_alarm(int signal)
{
	(void)signal;
	if (write(fds[1], "x", 1) != 1)
		_exit(98);
}

/* restart: a read that a signal interrupts, and that the kernel makes again. */
static void be_interrupted(char **arguments)
{
	struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	struct itimerval soon = {.it_value.tv_usec = 200000};
	char byte;

	(void)arguments;
	must(pipe(fds) == 0 && sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &soon, NULL) == 0);
	say(syscall(SYS_read, fds[0], &byte, 1));
}

/* filtered: a seccomp filter of its own that kills for every call but getppid and those that it needs to say so. */
static void be_filtered(char **arguments)
{
	static const int allowed[] = {SYS_getppid, SYS_read, SYS_write, SYS_exit_group};
	struct sock_filter program[2 * sizeof allowed / sizeof *allowed + 2];
	struct sock_fprog filter = {0, program};

	(void)arguments;
	program[filter.len++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
							     offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
		program[filter.len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)allowed[i], 0,
								     1);
		program[filter.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	}
	program[filter.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	say(0); /* stdout has its buffer now */
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0);
	long result = syscall(SYS_getppid);
	say(result > 0 ? 0 : result);
}

/* clone [fork | vfork]: a child, by the C library's fork or by that call; says its pid. */
static void make_child(char **arguments)
{
	pid_t pid;

	fflush(stdout);
	if (!arguments[0])
		pid = fork();
#if defined(SYS_fork)
	else if (strcmp(arguments[0], "fork") == 0)
		pid = (pid_t)syscall(SYS_fork);
#endif
	else
		pid = vfork();
	if (pid == 0)
		_exit(0);
	must(waitpid(pid, NULL, 0) == pid);
	say(pid);
}

/* getsockname: of a socket that is bound to a port of 127.0.0.1; says that port. */
static void tell_name(char **arguments)
{
	struct sockaddr_in name = address_of("127.0.0.1");
	socklen_t length = sizeof name;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	(void)arguments;
	name.sin_port = 0;
	must(bind(fd, (struct sockaddr *)&name, sizeof name) == 0);
	must(syscall(SYS_getsockname, fd, &name, &length) == 0);
	say(ntohs(name.sin_port));
}

static const struct {
	const char *name;
	void (*work)(char **arguments);
} works[] = {
	{"openat", open_all},	   {"execve", execute_all}, {"thread-execve", execute_in_thread},
	{"connect", connect_all},  {"send", send_all},	    {"socket", make_sockets},
	{"getppid", ask},	   {"pair", pass_bytes},    {"restart", be_interrupted},
	{"filtered", be_filtered}, {"clone", make_child},   {"getsockname", tell_name},
};

int main(int argc, char **argv)
{
	char line[8];

	if (argc > 2 && strcmp(argv[1], "-w") == 0) {
		puts("ready");
		fflush(stdout);
		must(fgets(line, sizeof line, stdin));
		argv++;
	}
	for (size_t i = 0; i < sizeof works / sizeof *works; i++) {
		if (argv[1] && strcmp(argv[1], works[i].name) == 0) {
			works[i].work(argv + 2);
			return 0;
		}
	}
	return 2;
}
