/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: calls unlink FILE... | unlinkat FILE... | uid | open FILE...
 * Makes calls, and says what came of each. open opens each file to write, to read and write, to read, and one that is
 * in no folder. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void told(long result)
{
	printf("%s\n", result < 0 ? strerrorname_np(errno) : "done");
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[1], "unlink") == 0)
			told(syscall(SYS_unlink, argv[i]));
		if (strcmp(argv[1], "unlinkat") == 0)
			told(unlinkat(AT_FDCWD, argv[i], 0));
		if (strcmp(argv[1], "open") == 0) {
			told(openat(AT_FDCWD, argv[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
			told(openat(AT_FDCWD, argv[i], O_RDWR));
			told(openat(AT_FDCWD, argv[i], O_RDONLY));
			told(openat(AT_FDCWD, "no/folder", O_WRONLY));
		}
	}
	if (argc > 1 && strcmp(argv[1], "uid") == 0)
		printf("%d\n", (int)getuid());
	return 6;
}
