/* SPDX-License-Identifier: GPL-2.0-or-later
 * Prints the offset of each instruction in the code on stdin, as the decoder's linear sweep meets them. It is built
 * together with what the decoder is made of. */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fast/scan/decode.h"

static size_t read_all(uint8_t **bytes)
{
	size_t size = 0, room = 1 << 20;
	ssize_t got;

	*bytes = NULL;
	do {
		room *= 2;
		*bytes = realloc(*bytes, room);
		if (!*bytes)
			err(2, "realloc");
		while ((got = read(STDIN_FILENO, *bytes + size, room - size)) > 0)
			size += got;
		if (got < 0)
			err(2, "read");
	} while (size == room);
	return size;
}

int main(void)
{
	struct instruction instruction;
	uint8_t *code;
	size_t size = read_all(&code), at = 0;

	while (at < size) {
		int length = decode(code + at, size - at, &instruction);

		if (length > 0)
			printf("%zx\n", at);
		at += length > 0 ? length : 1;
	}
	free(code);
	return 0;
}
