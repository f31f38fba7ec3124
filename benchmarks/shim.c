/* SPDX-License-Identifier: GPL-2.0-or-later
 * What LD_PRELOAD can do, as a measure for ptmon: the C library's transfer functions, wrapped, count the bytes that go
 * over sockets, by fd. At its exit each process that moved any adds a line "SENT RECEIVED" to the file $SHIM_FILE.
 *
 * It sees neither static programs, nor calls without the C library (Go, syscall(2)), nor the C library's own calls, nor
 * what a process did before an execve. An fd is asked once whether it is a socket. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS 65536 /* higher ones share the last place */

enum kind { UNKNOWN, SOCKET, OTHER };

/* A cache line each, for threads have an fd each. */
static struct place {
	_Alignas(64) _Atomic uint64_t sent;
	_Atomic uint64_t received;
	_Atomic int kind;
} places[FDS];

static _Atomic int highest;
static char *file; /* kept from the start: nginx clears its environment */

/* The next function of this name: the C library's. */
#define NEXT(name)                        \
	static __typeof__(&name) library; \
	(void)(library || (library = (__typeof__(&name))dlsym(RTLD_NEXT, #name)))

static struct place *place_of(int fd)
{
	return &places[fd < FDS ? fd : FDS - 1];
}

static int ask(struct place *place, int fd)
{
	int type, seen = atomic_load_explicit(&highest, memory_order_relaxed);
	socklen_t length = sizeof(type);
	int kind = getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 ? SOCKET : OTHER;

	atomic_store_explicit(&place->kind, kind, memory_order_relaxed);
	while (place - places > seen && !atomic_compare_exchange_weak(&highest, &seen, place - places))
		;
	return kind;
}

static int is_socket(struct place *place, int fd)
{
	int kind = atomic_load_explicit(&place->kind, memory_order_relaxed);

	return (kind == UNKNOWN ? ask(place, fd) : kind) == SOCKET;
}

static ssize_t sent(int fd, ssize_t result)
{
	struct place *place = place_of(fd);

	if (result > 0 && is_socket(place, fd))
		atomic_fetch_add_explicit(&place->sent, result, memory_order_relaxed);
	return result;
}

static ssize_t received(int fd, ssize_t result, int flags)
{
	struct place *place = place_of(fd);

	if (result > 0 && !(flags & (MSG_PEEK | MSG_ERRQUEUE)) && is_socket(place, fd))
		atomic_fetch_add_explicit(&place->received, result, memory_order_relaxed);
	return result;
}

static void forget(int fd)
{
	if (fd >= 0)
		atomic_store_explicit(&place_of(fd)->kind, UNKNOWN, memory_order_relaxed);
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
	NEXT(send);
	return sent(fd, library(fd, data, size, flags));
}

ssize_t sendto(int fd, const void *data, size_t size, int flags, __CONST_SOCKADDR_ARG to, socklen_t length)
{
	NEXT(sendto);
	return sent(fd, library(fd, data, size, flags, to, length));
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	NEXT(sendmsg);
	return sent(fd, library(fd, message, flags));
}

int sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags)
{
	NEXT(sendmmsg);
	int done = library(fd, messages, count, flags);

	for (int i = 0; i < done; i++)
		sent(fd, messages[i].msg_len);
	return done;
}

ssize_t write(int fd, const void *data, size_t size)
{
	NEXT(write);
	return sent(fd, library(fd, data, size));
}

ssize_t writev(int fd, const struct iovec *vector, int count)
{
	NEXT(writev);
	return sent(fd, library(fd, vector, count));
}

ssize_t sendfile(int out, int in, off_t *offset, size_t size)
{
	NEXT(sendfile);
	return sent(out, library(out, in, offset, size));
}

ssize_t sendfile64(int out, int in, off64_t *offset, size_t size)
{
	NEXT(sendfile64);
	return sent(out, library(out, in, offset, size));
}

ssize_t splice(int in, off64_t *from, int out, off64_t *to, size_t size, unsigned int flags)
{
	NEXT(splice);
	return received(in, sent(out, library(in, from, out, to, size, flags)), 0);
}

ssize_t recv(int fd, void *data, size_t size, int flags)
{
	NEXT(recv);
	return received(fd, library(fd, data, size, flags), flags);
}

ssize_t recvfrom(int fd, void *data, size_t size, int flags, __SOCKADDR_ARG from, socklen_t *length)
{
	NEXT(recvfrom);
	return received(fd, library(fd, data, size, flags, from, length), flags);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	NEXT(recvmsg);
	return received(fd, library(fd, message, flags), flags);
}

int recvmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags, struct timespec *timeout)
{
	NEXT(recvmmsg);
	int done = library(fd, messages, count, flags, timeout);

	for (int i = 0; i < done; i++)
		received(fd, messages[i].msg_len, flags);
	return done;
}

ssize_t read(int fd, void *data, size_t size)
{
	NEXT(read);
	return received(fd, library(fd, data, size), 0);
}

ssize_t readv(int fd, const struct iovec *vector, int count)
{
	NEXT(readv);
	return received(fd, library(fd, vector, count), 0);
}

/* What the three above are called in programs that are built with _FORTIFY_SOURCE. */
ssize_t __read_chk(int fd, void *data, size_t size, size_t most)
{
	if (size > most)
		abort();
	return read(fd, data, size);
}

ssize_t __recv_chk(int fd, void *data, size_t size, size_t most, int flags)
{
	if (size > most)
		abort();
	return recv(fd, data, size, flags);
}

ssize_t __recvfrom_chk(int fd, void *data, size_t size, size_t most, int flags, __SOCKADDR_ARG from, socklen_t *length)
{
	if (size > most)
		abort();
	return recvfrom(fd, data, size, flags, from, length);
}

/* Another file may get the number. */
int close(int fd)
{
	NEXT(close);
	forget(fd);
	return library(fd);
}

int dup2(int from, int to)
{
	NEXT(dup2);
	forget(to);
	return library(from, to);
}

int dup3(int from, int to, int flags)
{
	NEXT(dup3);
	forget(to);
	return library(from, to, flags);
}

__attribute__((destructor)) static void tell(void)
{
	uint64_t out = 0, in = 0;
	int fd;

	for (int i = 0; i <= highest; i++) {
		out += atomic_exchange(&places[i].sent, 0);
		in += atomic_exchange(&places[i].received, 0);
	}
	if (!file || !(out || in))
		return;
	fd = open(file, O_WRONLY | O_CREAT | O_APPEND, 0666);
	if (fd >= 0 && dprintf(fd, "%llu %llu\n", (unsigned long long)out, (unsigned long long)in) < 0)
		perror(file);
}

/* It runs no destructors. */
void _exit(int status)
{
	tell();
	for (;;)
		syscall(SYS_exit_group, status);
}

/* What the parent moved is the parent's. */
static void start_anew(void)
{
	for (int i = 0; i <= highest; i++) {
		atomic_store(&places[i].sent, 0);
		atomic_store(&places[i].received, 0);
	}
}

__attribute__((constructor)) static void set_up(void)
{
	const char *name = getenv("SHIM_FILE");

	file = name ? strdup(name) : NULL;
	pthread_atfork(NULL, NULL, start_anew);
}
