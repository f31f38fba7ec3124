/* SPDX-License-Identifier: GPL-2.0-or-later
 * Two writes: one to stdout, and one to an fd that nobody has opened. */
#include <unistd.h>

int main(void)
{
	if (write(1, "hello\n", 6) != 6)
		return 1;
	if (write(99, "nobody", 6) < 0)
		return 3;
	return 0;
}
