/* SPDX-License-Identifier: GPL-2.0-or-later
 * Something to look at: sends to itself over TCP until a signal ends it, and writes coloured lines meanwhile.
 *   onscreen [ROUNDS [LINES]]    0 rounds: until SIGTERM or SIGINT; so many lines in each round
 * Its stdin has to be at its end. */
#include <signal.h>

#include "sockets.h"

enum { SIZE = 1000, PAUSE_US = 5000 };

static volatile sig_atomic_t ended;

static void on_signal(int signal)
{
	ended = signal;
}

int main(int argc, char **argv)
{
	const struct sigaction action = {.sa_handler = on_signal};
	const long rounds = argc > 1 ? atol(argv[1]) : 0, lines = argc > 2 ? atol(argv[2]) : 1;
	unsigned long long total = 0;
	char bytes[SIZE] = "";
	int pair[2];

	must(sigaction(SIGTERM, &action, NULL) == 0 && sigaction(SIGINT, &action, NULL) == 0);
	tcp_pair(pair);
	printf("%s\n", isatty(STDOUT_FILENO) ? "on a terminal" : "on no terminal");
	must(read(STDIN_FILENO, bytes, 1) == 0);
	for (long round = 0; !ended && (round < rounds || !rounds); round++) {
		must(send(pair[0], bytes, SIZE, 0) == SIZE);
		must(recv(pair[1], bytes, SIZE, MSG_WAITALL) == SIZE);
		total += SIZE;
		for (long line = 0; line < lines; line++)
			printf("\033[32mline\033[0m %ld.%ld of [bold]many\n", round, line);
		fflush(stdout);
		usleep(PAUSE_US);
	}
	if (ended)
		printf("ended by signal %d\n", (int)ended);
	tell(total, total);
	return 0;
}
