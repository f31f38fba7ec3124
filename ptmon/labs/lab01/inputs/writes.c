/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: writes LENGTH...
 * Writes so many bytes each time; to an fd that nobody has opened if it is negative. Ends with status 5. */
#include <stdlib.h>
#include <unistd.h>

static char data[4096];

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int length = atoi(argv[i]);
		ssize_t wrote = write(length < 0 ? 99 : 1, data, (size_t)abs(length));
		if (wrote != (length < 0 ? -1 : length))
			return 1;
	}
	return 5;
}
