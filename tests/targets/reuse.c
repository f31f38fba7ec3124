/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: reuse MODE
 * One fd number that names one thing after another. The number is 50: at first a TCP socket, to which 101 bytes go. */
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

enum { NUMBER = 50 };

static char bytes[1024];
static int first[2], second[2];

static void begin(void)
{
	tcp_pair(first);
	must(dup2(first[0], NUMBER) == NUMBER);
	close(first[0]);
	sent(write(NUMBER, bytes, 101));
}

/* 307 bytes to what is no socket any more: nothing to count. */
static void write_uncounted(void)
{
	must(write(NUMBER, bytes, 307) == 307);
}

static void socket_then_file_dup2(void)
{
	begin();
	must(dup2(memfd_create("file", 0), NUMBER) == NUMBER);
	write_uncounted();
}

static void socket_then_file_dup3(void)
{
	begin();
	must(dup3(memfd_create("file", 0), NUMBER, O_CLOEXEC) == NUMBER);
	write_uncounted();
}

static void socket_then_file_close(void)
{
	begin();
	close(NUMBER);
	must(fcntl(memfd_create("file", 0), F_DUPFD, NUMBER) == NUMBER);
	write_uncounted();
}

static void socket_then_file_close_range(void)
{
	int file = memfd_create("file", 0);

	begin();
	skip_unless(syscall(SYS_close_range, NUMBER, NUMBER + 7, 0) == 0);
	must(fcntl(file, F_DUPFD, NUMBER) == NUMBER);
	write_uncounted();
}

/* The number is closed by execve; argv[1] of the next program is "executed". */
static void socket_then_file_exec(void)
{
	begin();
	must(fcntl(NUMBER, F_SETFD, FD_CLOEXEC) == 0);
	execl("/proc/self/exe", "reuse", "executed", NULL);
	must(!"execl");
}

static void executed(void)
{
	must(fcntl(NUMBER, F_GETFD) == -1 && errno == EBADF);
	must(dup2(memfd_create("file", 0), NUMBER) == NUMBER);
	write_uncounted();
	sent(101);
}

static void file_then_socket(void)
{
	must(dup2(memfd_create("file", 0), NUMBER) == NUMBER);
	write_uncounted();
	begin();
	received(read(first[1], bytes, 101));
}

/* Another socket under the number: 101 bytes belong to the first, 211 to the second. */
static void socket_then_socket(void)
{
	begin();
	tcp_pair(second);
	must(dup2(second[0], NUMBER) == NUMBER);
	sent(write(NUMBER, bytes, 211));
}

static volatile pid_t reader_tid;
static long reader_call = SYS_recvfrom; /* or SYS_read */

static void *read_number(void *unused)
{
	(void)unused;
	reader_tid = (pid_t)syscall(SYS_gettid);
	must(received(syscall(reader_call, NUMBER, bytes, sizeof bytes, 0, NULL, NULL)) == 503);
	return NULL;
}

static const char *file_of_reader(const char *file)
{
	static char text[512];
	char path[64];
	ssize_t length;
	int fd;

	snprintf(path, sizeof path, "/proc/self/task/%d/%s", (int)reader_tid, file);
	fd = open(path, O_RDONLY);
	must(fd >= 0);
	length = read(fd, text, sizeof text - 1);
	must(length >= 0);
	text[length] = 0;
	close(fd);
	return text;
}

/* It is at the call, and asleep: so inside. (In a tracer's stop it isn't asleep, and maybe not inside yet.) */
static int reader_is_blocked(void)
{
	return reader_tid && atoi(file_of_reader("syscall")) == reader_call && strstr(file_of_reader("stat"), ") S ");
}

/* A thread blocks in a call on the number; the number is given away; then 503 bytes come: they are the first socket's.
 */
static void while_blocked(int other, int close_first)
{
	pthread_t reader;

	begin();
	must(pthread_create(&reader, NULL, read_number, NULL) == 0);
	while (!reader_is_blocked())
		poll(NULL, 0, 1);
	if (close_first)
		must(close(NUMBER) == 0 && fcntl(other, F_DUPFD, NUMBER) == NUMBER);
	else
		must(dup2(other, NUMBER) == NUMBER);
	sent(write(NUMBER, bytes, 307));
	sent(send(first[1], bytes, 503, 0));
	must(pthread_join(reader, NULL) == 0);
}

static void blocked_then_socket(void)
{
	tcp_pair(second);
	while_blocked(second[0], 0);
}

static void blocked_closed_then_socket(void)
{
	tcp_pair(second);
	while_blocked(second[0], 1);
}

static void blocked_read_then_socket(void)
{
	reader_call = SYS_read;
	blocked_then_socket();
}

static void blocked_then_file(void)
{
	while_blocked(memfd_create("file", 0), 0);
	all_sent -= 307;
}

static void blocked_read_then_file(void)
{
	reader_call = SYS_read;
	blocked_then_file();
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = {
		{"socket_then_file_dup2", socket_then_file_dup2},
		{"socket_then_file_dup3", socket_then_file_dup3},
		{"socket_then_file_close", socket_then_file_close},
		{"socket_then_file_close_range", socket_then_file_close_range},
		{"socket_then_file_exec", socket_then_file_exec},
		{"executed", executed},
		{"file_then_socket", file_then_socket},
		{"socket_then_socket", socket_then_socket},
		{"blocked_then_socket", blocked_then_socket},
		{"blocked_then_file", blocked_then_file},
		{"blocked_closed_then_socket", blocked_closed_then_socket},
		{"blocked_read_then_socket", blocked_read_then_socket},
		{"blocked_read_then_file", blocked_read_then_file},
		{NULL, NULL},
	};

	return run_mode(modes, argc > 1 ? argv[1] : NULL);
}
