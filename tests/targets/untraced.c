/* SPDX-License-Identifier: GPL-2.0-or-later
 * A child made with CLONE_UNTRACED, by clone(2) or clone3(2): its maker does not want it traced.
 *   untraced clone|clone3 */
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>

#include "tally.h"

int main(int argc, char **argv)
{
	must(argc > 1);
	tally_open();
	chat(7, 3);
	struct clone_args arguments = {.flags = CLONE_UNTRACED, .exit_signal = SIGCHLD};
	long child = strcmp(argv[1], "clone3") == 0 ? syscall(SYS_clone3, &arguments, sizeof arguments)
						    : syscall(SYS_clone, CLONE_UNTRACED | SIGCHLD, 0, 0, 0, 0);
	must(child >= 0);
	if (child == 0) {
		chat(101, 13);
		_exit(5);
	}
	int status = reap((pid_t)child);
	printf("child's status %#x, the arguments are %s\n", (unsigned)status,
	       arguments.flags == CLONE_UNTRACED && arguments.exit_signal == SIGCHLD ? "untouched" : "changed");
	chat(11, 5);
	tally_tell();
	return 0;
}
