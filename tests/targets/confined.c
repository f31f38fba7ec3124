/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: confined CALL PROGRAM [ARG...]
 * Executes a program under a seccomp filter that refuses one call, by EPERM, as the profiles of containers do. */
#include "filter.h"

static const struct {
	const char *name;
	unsigned int number;
} calls[] = {
	{"ptrace", SYS_ptrace},
	{"process_vm_readv", SYS_process_vm_readv},
	{"pidfd_getfd", SYS_pidfd_getfd},
};

int main(int argc, char **argv)
{
	must(argc > 2);
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if (strcmp(argv[1], calls[i].name) == 0)
			install_for(calls[i].number, SECCOMP_RET_ERRNO | EPERM, 0);
	execvp(argv[2], argv + 2);
	return 127;
}
