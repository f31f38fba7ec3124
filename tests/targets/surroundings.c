/* SPDX-License-Identifier: GPL-2.0-or-later
 * Tells what a program finds when it starts.
 *   surroundings state        signals, process group, limits, directory and the like
 *   surroundings fds FILE     its open fds and what they are, into FILE
 *   surroundings argv ...     the bytes of every argument
 *   surroundings odd_env PROGRAM...  executes PROGRAM in an environment that only execve can make */
#include <dirent.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tally.h"

static void state(void)
{
	char line[512];
	FILE *status = fopen("/proc/self/status", "r");
	must(status != NULL);
	while (fgets(line, sizeof line, status) != NULL)
		if (strncmp(line, "Sig", 3) == 0 || strncmp(line, "ShdPnd", 6) == 0 || strncmp(line, "Cap", 3) == 0 ||
		    strncmp(line, "Uid", 3) == 0 || strncmp(line, "Gid", 3) == 0 || strncmp(line, "Groups", 6) == 0 ||
		    strncmp(line, "Cpus_allowed_list", 17) == 0)
			if (strncmp(line, "SigQ", 4) != 0)
				fputs(line, stdout);
	fclose(status);
	mode_t mask = umask(0);
	must(getcwd(line, sizeof line) != NULL);
	printf("umask %o, directory %s, nice %d, policy %d\n", mask, line, getpriority(PRIO_PROCESS, 0),
	       sched_getscheduler(0));
	printf("process group %d, session %d\n", getpgrp(), getsid(0));
	for (int which = 0; which < 16; which++) {
		struct rlimit limit;
		must(getrlimit(which, &limit) == 0);
		printf("limit %d: %lu %lu\n", which, (unsigned long)limit.rlim_cur, (unsigned long)limit.rlim_max);
	}
	char name[17] = "";
	int subreaper, death;
	must(prctl(PR_GET_NAME, name) == 0 && prctl(PR_GET_CHILD_SUBREAPER, &subreaper) == 0);
	must(prctl(PR_GET_PDEATHSIG, &death) == 0);
	printf("name %s, subreaper %d, death signal %d, dumpable %d, slack %d\n", name, subreaper, death,
	       prctl(PR_GET_DUMPABLE), prctl(PR_GET_TIMERSLACK));
}

static void fds(const char *path)
{
	FILE *file = fopen(path, "w");
	DIR *folder = opendir("/proc/self/fd");
	must(file != NULL && folder != NULL);
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		char target[256];
		ssize_t length = readlinkat(dirfd(folder), entry->d_name, target, sizeof target - 1);
		if (length < 0)
			continue;
		target[length] = 0;
		/* The numbers of pipes, sockets and processes differ from run to run. */
		if (strncmp(target, "/proc/", 6) == 0)
			strcpy(target, "the list of fds");
		else if (strchr(target, ':') != NULL)
			*strchr(target, ':') = 0;
		fprintf(file, "%s %s %#x\n", entry->d_name, target, fcntl(atoi(entry->d_name), F_GETFL));
	}
	must(fclose(file) == 0);
}

int main(int argc, char **argv)
{
	must(argc > 1);
	if (strcmp(argv[1], "state") == 0) {
		state();
	} else if (strcmp(argv[1], "fds") == 0) {
		fds(argv[2]);
	} else if (strcmp(argv[1], "argv") == 0) {
		for (int i = 0; i < argc; i++, putchar('\n'))
			for (unsigned char *byte = (unsigned char *)argv[i]; *byte != 0; byte++)
				printf("%02x", *byte);
	} else {
		char *environment[] = {"PATH=/usr/bin:/bin", "TWICE=1",	       "TWICE=2",    "no equals sign",
				       "=empty name",	     "BYTES=\xff\xfe", "LC_CTYPE=C", NULL};
		execve(argv[2], argv + 2, environment);
		return 98;
	}
	return 0;
}
