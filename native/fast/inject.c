/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The tracee stands still; its registers are set to a call, it is let go to that call's exit-stop, and gets its
 * registers back. Other threads of it may run meanwhile. Signals to the thread are blocked (PTRACE_SETSIGMASK), but for
 * the two that can't be: SIGSTOP, which is sent anew at the end, and SIGKILL, which ends it all.
 */
#include "fast/inject.h"

#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"
#include "stop.h"
#include "wait.h"

#define MASK_SIZE 8 /* bytes of the kernel's sigset_t */

int inject_begin(struct injection *injection, pid_t tid, uint64_t gadget)
{
	const uint64_t all = UINT64_MAX;
	uint8_t code[2];
	int error = registers_read(tid, &injection->saved);

	injection->tid = tid;
	injection->gadget = gadget;
	injection->stop_again = false;
	if (!error)
		error = memory_read(tid, gadget, code, sizeof(code));
	if (error)
		return error;
	/* Behind rt_sigreturn(2) the thread stands wherever the signal had come. */
	if (code[0] != 0x0f || code[1] != 0x05)
		return -EAGAIN;
	if (ptrace(PTRACE_GETSIGMASK, tid, MASK_SIZE, &injection->mask) < 0 ||
	    ptrace(PTRACE_SETSIGMASK, tid, MASK_SIZE, &all) < 0)
		return -errno;
	return 0;
}

/* Lets it go on to its next stop of the call. 0, or -ESRCH if it dies instead. */
static int go_on(struct pt_tracer *t, struct injection *injection)
{
	int status;

	for (;;) {
		if (ptrace(PTRACE_SYSCALL, injection->tid, 0, 0) < 0)
			return -errno;
		if (waitpid(injection->tid, &status, __WALL) < 0)
			return -errno;
		switch (stop_kind(status)) {
		case STOP_SYSCALL:
			return 0;
		case STOP_EXIT:
		case STOP_EXITED:
		case STOP_KILLED:
			wait_keep(t, injection->tid, status);
			return -ESRCH;
		case STOP_SIGNAL:
			/* All others wait; or the gadget is none. */
			if (WSTOPSIG(status) != SIGSTOP)
				return -EFAULT;
			injection->stop_again = true;
			break;
		case STOP_GROUP:
			injection->stop_again = true;
			break;
		default:
			break; /* PTRACE_INTERRUPT, or the seccomp-stop of a call that the filter watches */
		}
	}
}

int64_t inject_call(struct pt_tracer *t, struct injection *injection, long number, const uint64_t args[6])
{
	struct registers regs = injection->saved;
	int error;

	registers_set_call(&regs, injection->gadget, number, args);
	error = registers_write(injection->tid, &regs);
	for (int i = 0; i < 2 && !error; i++)
		error = go_on(t, injection);
	if (!error)
		error = registers_read(injection->tid, &regs);
	return error ? error : registers_result(&regs);
}

void inject_end(struct injection *injection)
{
	registers_write(injection->tid, &injection->saved);
	ptrace(PTRACE_SETSIGMASK, injection->tid, MASK_SIZE, &injection->mask);
	if (injection->stop_again)
		syscall(SYS_tkill, injection->tid, SIGSTOP);
}
