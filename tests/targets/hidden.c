/* SPDX-License-Identifier: GPL-2.0-only
 * Transfers of a process that may not be read.
 *   hidden send          made non-dumpable, then send and recv, which only a socket allows
 *   hidden write         made non-dumpable, then write and read too, which files allow: told as other_*
 *   hidden dumpable      send and recv as they are (for an execute-only copy of this program) */
#include <sys/prctl.h>

#include "tally.h"

int main(int argc, char **argv)
{
	unsigned long long other_sent = 0, other_received = 0;
	must(argc > 1);
	tally_open();
	if (strcmp(argv[1], "dumpable") != 0)
		must(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
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
