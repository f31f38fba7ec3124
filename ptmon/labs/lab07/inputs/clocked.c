/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: clocked LOG
 * Says a time that it has made up, and adds it to LOG, with who traces it ("-": nobody) and what is preloaded ("-":
 * nothing). */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The command of who traces this process. */
static void tracer(char *command, size_t size)
{
	char line[256], path[64];
	int pid = 0;
	FILE *status = fopen("/proc/self/status", "r");

	snprintf(command, size, "-");
	while (status && fgets(line, sizeof line, status))
		if (sscanf(line, "TracerPid: %d", &pid) == 1)
			break;
	if (pid == 0)
		return;
	snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
	int file = open(path, O_RDONLY);
	ssize_t length = read(file, command, size - 1);
	for (ssize_t i = 0; i < length; i++)
		if (command[i] == 0 || command[i] == '\n')
			command[i] = ' ';
	command[length > 0 ? length : 0] = 0;
}

int main(int argc, char **argv)
{
	char command[4096], line[8192];
	const char *preloaded = getenv("LD_PRELOAD");
	struct timespec time;

	if (argc < 2)
		return 99;
	int log = open(argv[1], O_WRONLY | O_APPEND | O_CREAT, 0600);
	tracer(command, sizeof command);
	clock_gettime(CLOCK_MONOTONIC, &time);
	srandom((unsigned)time.tv_nsec ^ (unsigned)getpid());
	long nanoseconds = 1000000 + random() % 9000000;
	int length = snprintf(line, sizeof line, "%ld\t%s\t%s\n", nanoseconds, preloaded ? preloaded : "-", command);
	if (write(log, line, (size_t)length) != length)
		return 99;
	printf("sent 0, received 0\n%ld ns\n", nanoseconds);
	return 0;
}
