/* SPDX-License-Identifier: GPL-2.0-or-later
 * A program at a terminal: transfers all the time in a thread and obeys lines on stdin.
 *   terminal [default]   counts its SIGINT and SIGTERM; with "default" they end it
 *   count  tells how many signals arrived        end  tells what it transferred, and ends with status 0 */
#include <signal.h>

#include "tally.h"

static atomic_int interrupts, terminations, ending;

static void on_signal(int signal)
{
	if (signal == SIGINT)
		interrupts++;
	else
		terminations++;
}

static void *talk(void *none)
{
	while (!ending) {
		chat(7, 11);
		usleep(1000);
	}
	return none;
}

int main(int argc, char **argv)
{
	tally_open();
	if (argc == 1 || strcmp(argv[1], "default") != 0) {
		struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
		must(sigaction(SIGINT, &action, NULL) == 0 && sigaction(SIGTERM, &action, NULL) == 0);
	}
	pthread_t talker = start_thread(talk, NULL);
	puts("started");
	fflush(stdout);
	char word[16];
	while (scanf("%15s", word) == 1 && strcmp(word, "end") != 0) {
		printf("interrupts=%d terminations=%d\n", interrupts, terminations);
		fflush(stdout);
	}
	ending = 1;
	must(pthread_join(talker, NULL) == 0);
	tally_tell();
	return 0;
}
