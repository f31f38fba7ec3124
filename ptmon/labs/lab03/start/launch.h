/* SPDX-License-Identifier: GPL-2.0-or-later
 * Starts a program as a tracee. */
#ifndef LAUNCH_H
#define LAUNCH_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* Returns when the program is in place and has not run: the kernel has stopped it by a SIGTRAP, for it is traced. */
static pid_t launch(char **command)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL); /* my parent shall be my tracer */
		execvp(command[0], command);
		perror(command[0]);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		exit(127);
	return pid;
}

#endif
