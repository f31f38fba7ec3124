/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The command `ptmon`. Python ignores SIGPIPE and SIGXFSZ from its start on, and nothing tells afterwards what they
 * were before; a program that ptmon starts is to find them as they were. So this looks first, and then becomes Python,
 * by the script that pip has put beside it: the script's first line names the Python that ptmon was installed for,
 * wherever that is. What is ignored goes along as an argument, not in the environment, which is the program's.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "machine/kernel_action.h"

#define SCRIPT "ptmon-start" /* [project.scripts] of pyproject.toml */
#define IGNORED "--ignored-signals="
#define OWN_ERROR 125 /* EXIT_OWN of ptmon/errors.py */
#define SIGNALS 64

/* Bit n - 1 for signal n, as SigIgn of proc(5). */
static uint64_t ignored_signals(void)
{
	uint64_t ignored = 0;

	for (int signal = 1; signal <= SIGNALS; signal++) {
		struct kernel_action action = {0};

		if (syscall(SYS_rt_sigaction, signal, NULL, &action, sizeof(uint64_t)) == 0 &&
		    action.handler == SIG_IGN)
			ignored |= UINT64_C(1) << (signal - 1);
	}
	return ignored;
}

/* The script beside this executable, whatever links have led here. 0 or -errno. */
static int find_script(char path[PATH_MAX])
{
	char *slash;

	/* Without /proc: as it was executed, which is not found after a link to a link alone. */
	if (!realpath("/proc/self/exe", path) && !realpath((const char *)getauxval(AT_EXECFN), path))
		return -errno;
	slash = strrchr(path, '/');
	if (!slash || (size_t)(slash + 1 - path) + sizeof(SCRIPT) > PATH_MAX)
		return -ENAMETOOLONG;
	strcpy(slash + 1, SCRIPT);
	return 0;
}

static int fail(char *script, int error)
{
	for (char *letter = script; *letter; letter++)
		if (iscntrl((unsigned char)*letter)) /* a terminal would obey it */
			*letter = '?';
	fprintf(stderr, "ptmon: cannot start %s: %s%s; install ptmon again, or run it as python3 -m ptmon\n", script,
		strerror(error), error == ENOENT ? " (it, or the Python that its first line names)" : "");
	return OWN_ERROR;
}

int main(int argc, char **argv)
{
	char path[PATH_MAX] = SCRIPT;
	char ignored[sizeof(IGNORED) + 16];
	char **words = calloc((size_t)argc + 3, sizeof(*words));
	int error = words ? find_script(path) : -ENOMEM;

	if (error < 0)
		return fail(path, -error);
	snprintf(ignored, sizeof(ignored), IGNORED "%llx", (unsigned long long)ignored_signals());
	words[0] = path;
	words[1] = ignored;
	for (int i = 1; i < argc; i++)
		words[i + 1] = argv[i];
	execv(path, words);
	return fail(path, errno);
}
