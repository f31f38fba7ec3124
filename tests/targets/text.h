/* SPDX-License-Identifier: GPL-2.0-or-later
 * The text that the servers and clients exchange: their PID, padded to 35 bytes whatever its number of digits. */
#ifndef TEXT_H
#define TEXT_H

#include <stdio.h>
#include <unistd.h>

enum { TEXT_LENGTH = 35 };

static inline void make_text(char text[TEXT_LENGTH + 1], const char *who)
{
	char words[TEXT_LENGTH + 1];

	snprintf(words, sizeof words, "%s process, PID %d", who, (int)getpid());
	snprintf(text, TEXT_LENGTH + 1, "%-35s", words);
}

#endif
