/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: partial
 * Asks a pipe that has room for less to take 1 MiB, until it takes nothing. What it took is said by writev, as
 * "CALLS BYTES FAILED". */
#include <fcntl.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

static char data[1 << 20];

int main(void)
{
	char text[64];
	int ends[2];
	long calls = 0, bytes = 0;
	ssize_t wrote;

	if (pipe2(ends, O_NONBLOCK) != 0)
		return 1;
	do {
		wrote = write(ends[1], data, sizeof data);
		calls++;
		if (wrote > 0)
			bytes += wrote;
	} while (wrote > 0);
	struct iovec part = {text, (size_t)snprintf(text, sizeof text, "%ld %ld 1\n", calls, bytes)};
	return writev(1, &part, 1) > 0 ? 0 : 1;
}
