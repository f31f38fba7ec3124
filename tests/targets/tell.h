/* SPDX-License-Identifier: GPL-2.0-or-later
 * What every target shares: it tells on its last line what it sent and received, as it knows it. */
#ifndef TELL_H
#define TELL_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Ends the target with the failing call's name if ok is false. */
#define must(ok)                     \
	do {                         \
		if (!(ok)) {         \
			perror(#ok); \
			exit(99);    \
		}                    \
	} while (0)

static inline void tell(unsigned long long sent, unsigned long long received)
{
	printf("{\"sent\": %llu, \"received\": %llu}\n", sent, received);
	fflush(stdout);
}

#endif
