/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: handlers
 * Sends itself signals, a SIGTRAP among them. Its status is how many came; one write for each that did. */
#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t came;

static void on_signal(int number)
{
	(void)number;
	if (write(1, "signal\n", 7) == 7)
		came++;
}

int main(void)
{
	const int numbers[] = {SIGUSR1, SIGTRAP, SIGUSR2};

	for (int i = 0; i < 3; i++) {
		signal(numbers[i], on_signal);
		raise(numbers[i]);
	}
	return came;
}
