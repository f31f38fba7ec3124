/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * New threads may be born meanwhile, of threads that do not stand yet. They are tracees from birth on, and stop before
 * their first instruction. So /proc/PID/task is read again until a whole pass has found none that does not stand.
 *
 * To stop a thread may end its call too early (interrupt.c). So threads that will come to a stop before they run any
 * code of the program are left where they are: relocate.c sees to them then. If one sleeps in a call that would be cut
 * short, and nothing tells when it comes back, not all can be stopped.
 */
#include "fast/patch/halt.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <time.h>

#include "loop/stop.h"
#include "loop/wait.h"
#include "machine/interrupt.h"
#include "machine/proc.h"
#include "machine/proc_path.h"
#include "machine/registers.h"
#include "process/tracee.h"
#include "records/debug.h"

#define PATIENCE_NS (100 * 1000 * 1000LL)
#define LEAVE_PATIENCE_NS \
	(500 * 1000 * 1000LL) /* a thread that makes one call after the other is seldom in user mode */
#define PAUSE_NS 20000

/* Those that return EINTR after a stop, though no handler ran. */
static bool returns_eintr(uint64_t number)
{
	switch (number) {
	case SYS_epoll_wait:
	case SYS_epoll_pwait:
	case SYS_epoll_pwait2:
	case SYS_io_getevents:
	case SYS_io_pgetevents:
	case SYS_semop:
	case SYS_semtimedop:
	case SYS_rt_sigtimedwait:
	case SYS_read: /* the rest: on sockets with SO_RCVTIMEO or SO_SNDTIMEO */
	case SYS_readv:
	case SYS_write:
	case SYS_writev:
	case SYS_recvfrom:
	case SYS_recvmsg:
	case SYS_sendto:
	case SYS_sendmsg:
	case SYS_accept:
	case SYS_accept4:
	case SYS_connect:
		return true;
	default:
		return false;
	}
}

static bool has_pending_signal(pid_t tid)
{
	uint64_t pending = (uint64_t)proc_status(tid, "SigPnd:", 16) | (uint64_t)proc_status(tid, "ShdPnd:", 16);

	return (pending & ~(uint64_t)proc_status(tid, "SigBlk:", 16)) != 0;
}

/* A signal that comes after this look is delivered before the call is made
 * again: as if it had come just before the program made the call. */
bool halt_make_again(pid_t tid)
{
	struct registers regs;

	if (registers_read(tid, &regs) < 0 || registers_compat(&regs) || registers_result(&regs) != -EINTR ||
	    (int64_t)registers_number(&regs) < 0 || !returns_eintr(registers_number(&regs)) || has_pending_signal(tid))
		return false;
	registers_restart(&regs, (int64_t)registers_number(&regs));
	return registers_write(tid, &regs) == 0;
}

enum standing { STANDS, RUNS, SLEEPS /* in a call that would be cut short */ };

static bool is_known_to_stand(struct pt_tracer *t, const struct tracee *tracee, pid_t tid)
{
	return wait_kept(t, tid) ||
	       (tracee && (tracee->hold || tracee->state == TRACEE_EXITING || tracee->state == TRACEE_NEWBORN ||
			   (tracee->group && tracee->group->waiting == tracee)));
}

bool halt_stands(struct pt_tracer *t, pid_t tid)
{
	int status;

	return is_known_to_stand(t, tracee_find(t, tid), tid) || wait_for(t, tid, &status) != 0;
}

/* Asks it to stop, if the program is not to see anything of that. Under PTRACE_SYSCALL a thread that is in no call runs
 * in user mode; if it makes a call just now it stops before it (call_stop.c makes that call begin anew). */
static enum standing interrupt(struct tracee *tracee)
{
	struct proc_place place;
	enum interrupt done = INTERRUPT_SENT;

	if (tracee->fast.halted)
		return RUNS; /* its stop is on the way */
	if (tracee->resumed.by_cont || tracee->call.stage)
		done = interrupt_gently(tracee, &place);
	else
		ptrace(PTRACE_INTERRUPT, tracee->tid, 0, 0);
	tracee->fast.halted = done == INTERRUPT_SENT;
	if (done != INTERRUPT_SLEEPS)
		return RUNS;
	return tracee->call.stage ? STANDS : SLEEPS; /* it stops once more before it runs any code of the program */
}

static enum standing look(struct pt_tracer *t, pid_t tid, bool first)
{
	struct tracee *tracee = tracee_find(t, tid);
	int status;
	pid_t found;

	if (is_known_to_stand(t, tracee, tid))
		return STANDS;
	found = wait_for(t, tid, &status);
	if (found < 0)
		return STANDS; /* gone */
	if (found > 0) {
		if (stop_kind(status) == STOP_INTERRUPT)
			halt_make_again(tid);
		return STANDS;
	}
	if (!tracee || !tracee->group)
		return RUNS; /* it is only being born, and stops by itself */
	if (tracee->attach.await == AWAIT_BREAKPOINT)
		return STANDS; /* it stops once more before it runs any code of the program */
	if (first && (tracee->resumed.by_cont || tracee->call.stage))
		interrupt_look(tracee);
	return interrupt(tracee);
}

static DIR *open_threads(const struct group *group)
{
	char path[PROC_PATH];

	return proc_path(path, group->tgid, "task") == 0 ? opendir(path) : NULL;
}

struct census {
	bool runs;
	bool sleeps;
};

static struct census count(struct pt_tracer *t, const struct group *group, const struct tracee *but, bool first)
{
	DIR *threads = open_threads(group);
	struct census all = {.runs = !threads};
	struct dirent *entry;

	while (threads && (entry = readdir(threads))) {
		pid_t tid = atoi(entry->d_name);
		enum standing one = tid <= 0 || (but && tid == but->tid) ? STANDS : look(t, tid, first);

		all.runs |= one == RUNS;
		all.sleeps |= one == SLEEPS;
	}
	if (threads)
		closedir(threads);
	return all;
}

static bool halt(struct pt_tracer *t, const struct group *group, const struct tracee *but, int64_t patience)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	int64_t end = now_ns() + patience;
	struct census all = count(t, group, but, true);
	bool again = true;

	/* Two passes at least: between the first one's reads a thread may have been born. One that stopped for another
	 * reason has lost the request (ptrace_stop() of kernel/signal.c), but it stands. */
	while (all.runs || again) {
		again = all.runs;
		if (now_ns() > end)
			return false;
		if (all.runs)
			nanosleep(&pause, NULL);
		all = count(t, group, but, false);
	}
	return !all.sleeps;
}

static bool halt_noted(struct pt_tracer *t, const struct group *group, const struct tracee *but, int64_t patience)
{
	const bool all = halt(t, group, but, patience);

	debug(t, PT_DEBUG_HALT, group->tgid, (struct pt_debug_entry){.count = all});
	return all;
}

bool halt_process(struct pt_tracer *t, const struct group *group, const struct tracee *but)
{
	return halt_noted(t, group, but, PATIENCE_NS);
}

bool halt_to_leave(struct pt_tracer *t, const struct group *group)
{
	return halt_noted(t, group, NULL, LEAVE_PATIENCE_NS);
}

void halt_each(const struct group *group, void (*visit)(pid_t tid, void *context), void *context)
{
	DIR *threads = open_threads(group);
	struct dirent *entry;

	while (threads && (entry = readdir(threads)))
		if (atoi(entry->d_name) > 0)
			visit(atoi(entry->d_name), context);
	if (threads)
		closedir(threads);
}
