/* SPDX-License-Identifier: GPL-2.0-or-later
 * Sends 10 bytes and receives them, without the C library's functions: by the instruction itself (x86_64). */
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>

static long raw(long number, long fd, void *data, long length)
{
	long result;
	register long flags __asm__("r10") = 0;
	register long address __asm__("r8") = 0;
	register long size __asm__("r9") = 0;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(fd), "S"(data), "d"(length), "r"(flags), "r"(address), "r"(size)
			 : "rcx", "r11", "memory");
	return result;
}

int main(void)
{
	char data[10] = "ten bytes";
	int ends[2];

	setvbuf(stdout, NULL, _IONBF, 0);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		return 1;
	long sent = raw(SYS_sendto, ends[0], data, sizeof data);
	long received = raw(SYS_recvfrom, ends[1], data, sizeof data);
	printf("sent %ld, received %ld\n", sent, received);
	return 0;
}
