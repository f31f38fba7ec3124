/* SPDX-License-Identifier: GPL-2.0-or-later
 * Sends itself a signal, and says whether it came. */
#include <signal.h>
#include <stdio.h>

static volatile sig_atomic_t came;

static void on_signal(int number)
{
	(void)number;
	came = 1;
}

int main(void)
{
	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	puts(came ? "the signal came" : "no signal came");
	return came ? 0 : 1;
}
