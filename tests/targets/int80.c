/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: int80 MODE
 * System calls of the i386 table by int 0x80, from a 64-bit program or from an i386 one (cc -m32). Their numbers mean
 * other calls in the x86_64 table: 3 is read and not close, 4 is write and not stat, 45 is brk and not recvfrom. */
#include "sockets.h"

#include <stdint.h>
#include <sys/mman.h>

enum {
	I386_READ = 3,
	I386_WRITE = 4,
	I386_BRK = 45,
	I386_SOCKETCALL = 102,
	I386_READV = 145,
	I386_WRITEV = 146,
	I386_SENDMSG = 370,
	I386_RECVMSG = 372
};
enum {
	SOCKETCALL_SEND = 9,
	SOCKETCALL_RECV = 10,
	SOCKETCALL_SENDTO = 11,
	SOCKETCALL_RECVFROM = 12,
	SOCKETCALL_SENDMSG = 16,
	SOCKETCALL_RECVMSG = 17
};

/* What the calls point to must lie below 4 GiB. */
static struct low {
	uint32_t arguments[6];
	struct {
		uint32_t base, length;
	} pieces[2];
	struct {
		uint32_t name, name_length, pieces, count, control, control_length, flags;
	} message;
	char bytes[1024];
} *low;
static int pair[2];

static int low_address(void *pointer)
{
	return (int)(uintptr_t)pointer;
}

static int call(int number, int first, int second, int third)
{
	int result;

#if defined(__x86_64__)
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(first), "c"(second), "d"(third)
			 : "memory", "cc", "r8", "r9", "r10", "r11");
#else
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(first), "c"(second), "d"(third)
			 : "memory", "cc");
#endif
	return result;
}

static int socketcall(int which, int fd, uint32_t length)
{
	uint32_t arguments[6] = {(uint32_t)fd, (uint32_t)low_address(low->bytes), length, 0, 0, 0};

	memcpy(low->arguments, arguments, sizeof arguments);
	return call(I386_SOCKETCALL, which, low_address(low->arguments), 0);
}

static int socketcall_message(int which, int fd)
{
	uint32_t arguments[3] = {(uint32_t)fd, (uint32_t)low_address(&low->message), 0};

	memcpy(low->arguments, arguments, sizeof arguments);
	return call(I386_SOCKETCALL, which, low_address(low->arguments), 0);
}

static void two_pieces(uint32_t first, uint32_t second)
{
	low->pieces[0].base = low->pieces[1].base = (uint32_t)low_address(low->bytes);
	low->pieces[0].length = first;
	low->pieces[1].length = second;
	memset(&low->message, 0, sizeof low->message);
	low->message.pieces = (uint32_t)low_address(low->pieces);
	low->message.count = 2;
}

static void by_socketcall(void)
{
	must(sent(socketcall(SOCKETCALL_SEND, pair[0], 101)) == 101);
	must(received(socketcall(SOCKETCALL_RECV, pair[1], 101)) == 101);
	must(sent(socketcall(SOCKETCALL_SENDTO, pair[0], 103)) == 103);
	must(received(socketcall(SOCKETCALL_RECVFROM, pair[1], 103)) == 103);
	two_pieces(31, 37);
	must(sent(socketcall_message(SOCKETCALL_SENDMSG, pair[0])) == 68);
	must(received(socketcall_message(SOCKETCALL_RECVMSG, pair[1])) == 68);
}

static void by_own_number(void)
{
	must(sent(call(I386_WRITE, pair[0], low_address(low->bytes), 211)) == 211);
	must(received(call(I386_READ, pair[1], low_address(low->bytes), 211)) == 211);
	two_pieces(101, 103);
	must(sent(call(I386_WRITEV, pair[0], low_address(low->pieces), 2)) == 204);
	must(received(call(I386_READV, pair[1], low_address(low->pieces), 2)) == 204);
	two_pieces(31, 37);
	must(sent(call(I386_SENDMSG, pair[0], low_address(&low->message), 0)) == 68);
	must(received(call(I386_RECVMSG, pair[1], low_address(&low->message), 0)) == 68);
}

/* brk returns an address, which is no number of bytes, though its argument looks like an fd. */
static void by_wrong_number(void)
{
	call(I386_BRK, pair[0], low_address(low->bytes), 97);
	must(call(I386_WRITE, 999, low_address(low->bytes), 97) < 0);
	sent(write(pair[0], low->bytes, 307));
	received(read(pair[1], low->bytes, 307));
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = {
		{"socketcall", by_socketcall},
		{"own_number", by_own_number},
		{"wrong_number", by_wrong_number},
		{NULL, NULL},
	};

#if defined(__x86_64__)
	low = mmap(NULL, sizeof *low, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
#else
	low = mmap(NULL, sizeof *low, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
#endif
	must(low != MAP_FAILED);
	tcp_pair(pair);
	return run_mode(modes, argc > 1 ? argv[1] : NULL);
}
