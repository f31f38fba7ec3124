/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: refused [wait] [filter]
 * Makes calls that a rule may refuse, and tells each outcome in a line.
 * wait: when it has read a byte. filter: under a seccomp filter of its own, which refuses getsid. */
#include "filter.h"

#include <linux/io_uring.h>
#include <sys/ptrace.h>

static void told(const char *call, long result)
{
	printf("%s: %s\n", call, result < 0 ? strerrorname_np(errno) : "done");
	fflush(stdout);
}

static void io_uring(void)
{
	struct io_uring_params params = {0};

	told("io_uring_setup", syscall(SYS_io_uring_setup, 0, &params)); /* EINVAL: no entries */
}

static void children(void)
{
	pid_t child = fork();

	must(child >= 0);
	if (child == 0) {
		told("execve", execl("/bin/true", "true", (char *)NULL));
		_exit(5);
	}
	printf("child: %d\n", WEXITSTATUS(reap(child)));
}

int main(int argc, char **argv)
{
	char byte;
	int pair[2];

	if (argc > 1 && strcmp(argv[1], "wait") == 0) {
		must(puts("ready") >= 0 && fflush(stdout) == 0 && read(0, &byte, 1) == 1);
		argv++, argc--;
	}
	if (argc > 1)
		install_for(SYS_getsid, SECCOMP_RET_ERRNO | EPERM, 0);
	told("ptrace", ptrace(PTRACE_PEEKDATA, getpid(), NULL, NULL)); /* ESRCH: not a tracee */
	io_uring();
	told("netlink", socket(AF_NETLINK, SOCK_RAW, 0));
	told("unix", socket(AF_UNIX, SOCK_STREAM, 0));
	told("inet", socket(AF_INET, SOCK_STREAM, 0));
	told("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	told("getsid", syscall(SYS_getsid, 0));
	children();
	return 3;
}
