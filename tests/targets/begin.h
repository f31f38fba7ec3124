/* SPDX-License-Identifier: GPL-2.0-or-later
 * Targets that are traced from their start, or attached to when they say that they are ready; data that tells its
 * place. */
#ifndef BEGIN_H
#define BEGIN_H

#include "tally.h"

/* With "wait" as the last argument: says "ready", waits for a byte on stdin, and counts from there. */
static inline void begin(int argc, char **argv)
{
	if (argc < 2 || strcmp(argv[argc - 1], "wait") != 0)
		return;
	must(write(STDOUT_FILENO, "ready\n", 6) == 6 && read(STDIN_FILENO, buffer, 1) == 1);
	tally->sent = tally->received = tally->calls = tally->errors = 0;
}

/* Each byte of a stream is a function of its place and of the stream. */
static inline char byte_at(unsigned int stream, unsigned long long place)
{
	return (char)(place * 31 + (place >> 8) * 7 + stream * 13);
}

static inline void fill(char *bytes, size_t size, unsigned int stream, unsigned long long place)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = byte_at(stream, place + i);
}

static inline void check(const char *bytes, size_t size, unsigned int stream, unsigned long long place)
{
	for (size_t i = 0; i < size; i++)
		must(bytes[i] == byte_at(stream, place + i));
}

#endif
