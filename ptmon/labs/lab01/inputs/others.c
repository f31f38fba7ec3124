/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: others
 * Writes by other calls than write, 7 bytes each, reads 5 bytes, and makes one write of 3; then others again, so that
 * who never forgets a write counts them. */
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

int main(void)
{
	char data[] = "sevens!";
	struct iovec parts[] = {{data, 3}, {data + 3, 4}};
	int ends[2];

	if (pipe(ends) != 0 || writev(1, parts, 2) != 7 || writev(ends[1], parts, 2) != 7)
		return 1;
	if (read(ends[0], data, 5) != 5 || write(ends[1], data, 3) != 3)
		return 1;
	if (read(ends[0], data, 5) != 5 || writev(ends[1], parts, 2) != 7)
		return 1;
	return 0;
}
