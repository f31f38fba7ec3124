/* SPDX-License-Identifier: GPL-2.0-or-later
 * A service that is given its listening socket, as sd_listen_fds(3) says: fd 3, if LISTEN_PID is its own pid. It
 * accepts one connection, which it makes itself, and prints what of the environment is meant for it. */
#include "sockets.h"

#include <stdlib.h>

enum { FIRST = 3 };

int main(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS"), *inode = getenv("LISTEN_PIDFDID");
	int client = socket(AF_INET, SOCK_STREAM, 0), served;
	char bytes[17] = {0};

	printf("%s %s %s\n", pid && atoi(pid) == getpid() ? "mine" : "not mine", fds ? fds : "-", inode ? inode : "-");
	if (!pid || atoi(pid) != getpid())
		return 1;
	connect_to(client, name_of(FIRST));
	served = accept(FIRST, NULL, NULL);
	must(served >= 0);
	sent(send(client, bytes, sizeof bytes, 0));
	await(served, sizeof bytes);
	received(recv(served, bytes, sizeof bytes, 0));
	tell(all_sent, all_received);
	return 0;
}
