/* SPDX-License-Identifier: GPL-2.0-or-later
 * Transfers of a process that may not be read.
 *   hidden send          made non-dumpable, then send and recv, which only a socket allows
 *   hidden write         made non-dumpable, then write and read too, which files allow: told as other_*
 *   hidden named      made non-dumpable, then sendto with an address
 *   hidden messages   made non-dumpable, then sendmmsg
 *   hidden dumpable      send and recv as they are (for an execute-only copy of this program) */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/prctl.h>

#include "tally.h"

/* To a UDP socket of its own. */
static void send_named(int receiver, int sender, int by_messages)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof to;
	struct iovec part = {buffer, 29};
	struct mmsghdr message = {.msg_hdr = {.msg_name = &to, .msg_iov = &part, .msg_iovlen = 1}};

	must(bind(receiver, (struct sockaddr *)&to, length) == 0);
	must(getsockname(receiver, (struct sockaddr *)&to, &length) == 0);
	message.msg_hdr.msg_namelen = length;
	if (by_messages)
		must(sendmmsg(sender, &message, 1, 0) == 1);
	else
		must(sendto(sender, buffer, 29, 0, (struct sockaddr *)&to, length) == 29);
	tally->sent += 29;
}

int main(int argc, char **argv)
{
	unsigned long long other_sent = 0, other_received = 0;
	must(argc > 1);
	tally_open();
	if (strcmp(argv[1], "dumpable") != 0)
		must(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
	if (strcmp(argv[1], "named") == 0 || strcmp(argv[1], "messages") == 0) {
		send_named(socket(AF_INET, SOCK_DGRAM, 0), socket(AF_INET, SOCK_DGRAM, 0), argv[1][0] == 'm');
		tally_tell();
		return 0;
	}
	chat(101, 17);
	if (strcmp(argv[1], "write") == 0) {
		int pair[2];
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
		for (int i = 0; i < 23; i++) {
			must(write(pair[0], buffer, 11) == 11 && read(pair[1], buffer, 11) == 11);
			other_sent += 11;
			other_received += 11;
		}
	}
	printf("{\"sent\": %llu, \"received\": %llu, \"other_sent\": %llu, \"other_received\": %llu}\n", tally->sent,
	       tally->received, other_sent, other_received);
	return 0;
}
