/* SPDX-License-Identifier: GPL-2.0-or-later
 * Where in a struct mmsghdr msg_len is. */
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

int main(void)
{
	printf("a struct mmsghdr has %zu bytes, msg_len is at %zu\n", sizeof(struct mmsghdr),
	       offsetof(struct mmsghdr, msg_len));
	return 0;
}
