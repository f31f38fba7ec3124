/* SPDX-License-Identifier: GPL-2.0-only
 * Many children, all of them there before the first one ends; each sends and receives a little.
 *   litter COUNT [wait] */
#include <poll.h>

#include "begin.h"

static void child(int gate)
{
	struct pollfd open_gate = {.fd = gate, .events = POLLIN};

	while (poll(&open_gate, 1, -1) < 0)
		;
	chat(3, 5);
	_exit(0);
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 0, gate[2], status;

	must(count > 0);
	tally_open();
	begin(argc, argv);
	must(pipe(gate) == 0);
	for (int i = 0; i < count; i++) {
		pid_t pid = fork();

		must(pid >= 0);
		if (pid == 0) {
			close(gate[1]);
			child(gate[0]);
		}
	}
	must(close(gate[1]) == 0); /* which all of them wait for */
	for (int i = 0; i < count; i++)
		must(wait(&status) > 0 && status == 0);
	tally_tell();
	return 0;
}
