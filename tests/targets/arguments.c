/* SPDX-License-Identifier: GPL-2.0-or-later
 * Makes calls and writes to the file argv[1] what a tracer has to say of them: a line at each entry, and one at each
 * return with " = RESULT". The calls stand between two getppid(). */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char lines[65536], text[8192];
static size_t length;

static void add(const char *end, const char *format, va_list values)
{
	vsnprintf(text, sizeof(text), format, values);
	length += (size_t)snprintf(lines + length, sizeof(lines) - length, "%s%s\n", text, end);
}

/* At the entry. */
__attribute__((format(printf, 1, 2))) static void enters(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	add("", format, values);
	va_end(values);
}

/* At the return. */
__attribute__((format(printf, 2, 3))) static void returns(const char *result, const char *format, ...)
{
	char end[128];
	va_list values;

	snprintf(end, sizeof(end), " = %s", result);
	va_start(values, format);
	add(end, format, values);
	va_end(values);
}

/* At both, alike: the call writes nothing. */
__attribute__((format(printf, 2, 3))) static void calls(const char *result, const char *format, ...)
{
	char end[128];
	va_list values;

	snprintf(end, sizeof(end), " = %s", result);
	va_start(values, format);
	add("", format, values);
	va_end(values);
	va_start(values, format);
	add(end, format, values);
	va_end(values);
}

/* A number as text; the last few stay valid. */
static const char *number(long value)
{
	static char texts[8][32];
	static unsigned int next;
	char *to = texts[next++ % 8];

	snprintf(to, 32, "%ld", value);
	return to;
}

#define ENOENT_TEXT "-1 ENOENT (No such file or directory)"

static void paths(void)
{
	char path[] = "/dev/null", missing[] = "/no/such \"file\"\n";
	char link[64];
	long fd = syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);

	calls(number(fd), "openat(AT_FDCWD, \"/dev/null\", O_RDWR|O_CLOEXEC)");
	syscall(SYS_openat, fd, missing, O_WRONLY | O_CREAT | O_EXCL, 0640);
	calls(ENOENT_TEXT, "openat(%ld, \"/no/such \\\"file\\\"\\n\", O_WRONLY|O_CREAT|O_EXCL, 0640)", fd);
	syscall(SYS_openat, AT_FDCWD, (char *)1, O_RDONLY);
	calls("-1 EFAULT (Bad address)", "openat(AT_FDCWD, 0x1, O_RDONLY)");
	fd = syscall(SYS_readlinkat, AT_FDCWD, missing, link, sizeof(link));
	calls(ENOENT_TEXT, "readlinkat(AT_FDCWD, \"/no/such \\\"file\\\"\\n\", %p, 64)", (void *)link);
	strcpy(missing, "/proc/self/exe");
	fd = syscall(SYS_readlinkat, AT_FDCWD, missing, link, 5L);
	enters("readlinkat(AT_FDCWD, \"/proc/self/exe\", %p, 5)", (void *)link);
	returns("5", "readlinkat(AT_FDCWD, \"/proc/self/exe\", \"%.5s\", 5)", link);
}

static void programs(char *const environment[])
{
	char path[] = "/no/program", first[] = "program", second[] = "-x", third[] = "\xc3\xa4\x1b";
	char *const words[] = {first, second, third, NULL};

	syscall(SYS_execve, path, words, environment);
	calls(ENOENT_TEXT, "execve(\"/no/program\", [\"program\", \"-x\", \"\xc3\xa4\\x1b\"], %p)",
	      (const void *)environment);
	syscall(SYS_kill, getpid(), 0);
	calls("0", "kill(%d, 0)", getpid());
	syscall(SYS_kill, getpid(), SIGCHLD);
	calls("0", "kill(%d, SIGCHLD)", getpid());
}

static void children(void)
{
	struct clone_args args = {.flags = CLONE_FS | CLONE_FILES, .exit_signal = SIGCHLD};
	int status = 0;
	/* Not through the C library: with CLONE_VFORK the child can end before its parent goes on. */
	long child = syscall(SYS_clone, CLONE_VFORK | SIGCHLD, 0L, 0L, 0L, 0L);

	if (!child)
		syscall(SYS_exit, 3);
	calls(number(child), "clone(CLONE_VFORK|SIGCHLD, NULL, NULL, NULL, NULL)");
	syscall(SYS_wait4, child, &status, 0, NULL);
	enters("wait4(%ld, %p, 0, NULL)", child, (void *)&status);
	returns(number(child), "wait4(%ld, [exited 3], 0, NULL)", child);
	args.flags |= CLONE_VFORK;
	child = syscall(SYS_clone3, &args, sizeof(args));
	if (!child)
		syscall(SYS_exit, 0);
	calls(number(child),
	      "clone3({flags=CLONE_FS|CLONE_FILES|CLONE_VFORK, exit_signal=SIGCHLD, stack=NULL, stack_size=0x0}, %zu)",
	      sizeof(args));
	waitpid((pid_t)child, &status, 0);
	enters("wait4(%ld, %p, 0, NULL)", child, (void *)&status);
	returns(number(child), "wait4(%ld, [exited 0], 0, NULL)", child);
}

static void streams(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in from = {0};
	socklen_t size = sizeof(to);
	int on = 1, port;
	char request[] = "GET / HTTP/1.1\r\nHost: localhost.localdomain\r\n\r\n", answer[128];
	long server = syscall(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP), client, peer, got;

	calls(number(server), "socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_TCP)");
	syscall(SYS_setsockopt, server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	calls("0", "setsockopt(%ld, SOL_SOCKET, SO_REUSEADDR, [1], 4)", server);
	syscall(SYS_bind, server, &to, sizeof(to));
	calls("0", "bind(%ld, 127.0.0.1:0, 16)", server);
	syscall(SYS_listen, server, 5);
	calls("0", "listen(%ld, 5)", server);
	syscall(SYS_getsockname, server, &to, &size);
	port = ntohs(to.sin_port);
	enters("getsockname(%ld, %p, %p)", server, (void *)&to, (void *)&size);
	returns("0", "getsockname(%ld, 127.0.0.1:%d, [16])", server, port);
	client = syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
	calls(number(client), "socket(AF_INET, SOCK_STREAM, IPPROTO_IP)");
	syscall(SYS_connect, client, &to, sizeof(to));
	calls("0", "connect(%ld, 127.0.0.1:%d, 16)", client, port);
	peer = syscall(SYS_accept4, server, &from, &size, SOCK_CLOEXEC);
	enters("accept4(%ld, %p, %p, SOCK_CLOEXEC)", server, (void *)&from, (void *)&size);
	returns(number(peer), "accept4(%ld, 127.0.0.1:%d, [16], SOCK_CLOEXEC)", server, ntohs(from.sin_port));
	syscall(SYS_sendto, client, request, sizeof(request) - 1, MSG_NOSIGNAL, NULL, 0);
	calls(number(sizeof(request) - 1),
	      "sendto(%ld, \"GET / HTTP/1.1\\r\\nHost: localhost.\"..., 47, MSG_NOSIGNAL, NULL, 0)", client);
	got = syscall(SYS_recvfrom, peer, answer, 4L, 0, NULL, NULL);
	enters("recvfrom(%ld, %p, 4, 0, NULL, NULL)", peer, (void *)answer);
	returns(number(got), "recvfrom(%ld, \"GET \", 4, 0, NULL, NULL)", peer);
	got = syscall(SYS_read, peer, answer, sizeof(answer));
	enters("read(%ld, %p, 128)", peer, (void *)answer);
	returns(number(got), "read(%ld, \"/ HTTP/1.1\\r\\nHost: localhost.loca\"..., 128)", peer);
	got = syscall(SYS_recvfrom, peer, answer, sizeof(answer), MSG_DONTWAIT, NULL, NULL);
	calls("-1 EAGAIN (Resource temporarily unavailable)", "recvfrom(%ld, %p, 128, MSG_DONTWAIT, NULL, NULL)", peer,
	      (void *)answer);
}

static void messages(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	char one[] = "one", two[] = "two\377", first[5], second[5];
	struct iovec out[] = {{one, 3}, {two, 4}}, in[] = {{first, 5}, {second, 5}};
	struct msghdr sent = {.msg_iov = out, .msg_iovlen = 2}, received = {.msg_iov = in, .msg_iovlen = 2};
	struct mmsghdr many[2] = {{.msg_hdr = {.msg_iov = out, .msg_iovlen = 1}},
				  {.msg_hdr = {.msg_iov = out + 1, .msg_iovlen = 1}}};
	int ends[2];

	syscall(SYS_socketpair, AF_UNIX, SOCK_DGRAM, 0, ends);
	enters("socketpair(AF_UNIX, SOCK_DGRAM, 0, %p)", (void *)ends);
	returns("0", "socketpair(AF_UNIX, SOCK_DGRAM, 0, [%d, %d])", ends[0], ends[1]);
	syscall(SYS_writev, ends[0], out, 2L);
	calls("7", "writev(%d, [\"one\", \"two\\xff\"], 2)", ends[0]);
	syscall(SYS_readv, ends[1], in, 2L);
	enters("readv(%d, %p, 2)", ends[1], (void *)in);
	returns("7", "readv(%d, [\"onetw\", \"o\\xff\"], 2)", ends[1]);
	syscall(SYS_sendmsg, ends[0], &sent, MSG_DONTWAIT);
	calls("7", "sendmsg(%d, {name=NULL, iov=[\"one\", \"two\\xff\"]}, MSG_DONTWAIT)", ends[0]);
	syscall(SYS_recvmsg, ends[1], &received, 0);
	enters("recvmsg(%d, %p, 0)", ends[1], (void *)&received);
	returns("7", "recvmsg(%d, {name=NULL, iov=[\"onetw\", \"o\\xff\"]}, 0)", ends[1]);
	syscall(SYS_sendmmsg, ends[0], many, 2, 0);
	enters("sendmmsg(%d, [{name=NULL, iov=[\"one\"]}, {name=NULL, iov=[\"two\\xff\"]}], 2, 0)", ends[0]);
	returns("2", "sendmmsg(%d, [{name=NULL, iov=[\"one\"], len=3}, {name=NULL, iov=[\"two\\xff\"], len=4}], 2, 0)",
		ends[0]);
	strcpy(name.sun_path, "/no/such/socket");
	sent.msg_name = &name;
	sent.msg_namelen = sizeof(name);
	syscall(SYS_sendmsg, ends[0], &sent, 0);
	calls(ENOENT_TEXT, "sendmsg(%d, {name=\"/no/such/socket\", iov=[\"one\", \"two\\xff\"]}, 0)", ends[0]);
}

static void others(void)
{
	int ends[2];
	struct timespec moment = {0, 1000};
	uint64_t mask = 0;

	syscall(SYS_pipe2, ends, O_NONBLOCK);
	enters("pipe2(%p, O_NONBLOCK)", (void *)ends);
	returns("0", "pipe2([%d, %d], O_NONBLOCK)", ends[0], ends[1]);
	syscall(SYS_mprotect, 1L, 4096L, PROT_READ | PROT_WRITE);
	calls("-1 EINVAL (Invalid argument)", "mprotect(0x1, 4096, PROT_READ|PROT_WRITE)");
	syscall(SYS_nanosleep, &moment, NULL);
	calls("0", "nanosleep({tv_sec=0, tv_nsec=1000}, NULL)");
	mask = 1ULL << (SIGUSR1 - 1) | 1ULL << (SIGHUP - 1);
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &mask, NULL, sizeof(mask));
	calls("0", "rt_sigprocmask(SIG_BLOCK, [HUP USR1], NULL, 8)");
	syscall(SYS_ioctl, ends[0], 0x5401L, 0L);
	calls("-1 ENOTTY (Inappropriate ioctl for device)", "ioctl(%d, 0x5401, 0)", ends[0]);
	syscall(SYS_close, -1);
	calls("-1 EBADF (Bad file descriptor)", "close(-1)");
}

#ifdef __i386__
static void multiplexed(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "/no/such/socket"};
	long words[] = {AF_UNIX, SOCK_STREAM, 0}, fd = syscall(SYS_socketcall, 1, words);
	long address[] = {fd, (long)&name, sizeof(name)};

	calls(number(fd), "socket(AF_UNIX, SOCK_STREAM, 0)");
	syscall(SYS_socketcall, 3, address);
	calls(ENOENT_TEXT, "connect(%ld, \"/no/such/socket\", %zu)", fd, sizeof(name));
}
#endif

int main(int argc, char *argv[], char *environment[])
{
	FILE *file;

	if (argc < 2)
		return 2;
	syscall(SYS_getppid);
	paths();
	programs(environment);
	children();
	streams();
	messages();
	others();
#ifdef __i386__
	multiplexed();
#endif
	syscall(SYS_getppid);
	file = fopen(argv[1], "w");
	if (!file || fwrite(lines, 1, length, file) != length || fclose(file))
		return 1;
	return 0;
}
