/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * read, write, close, dup2 ... matter only where there is a socket, and most programs have none. So a launched program
 * gets a filter that stops what may bring one (FILTER_FIRST), and its process is "dry". Before it has one the tracee
 * itself, at the stop before that call, installs another filter on top (FILTER_SECOND), for all threads of the process
 * and with all that they make and execute: there is no way back.
 *
 *   comes by                                        is seen
 *   socket, socketpair, socketcall, pidfd_getfd     before the call
 *   io_uring_setup: rings accept and install fds    before the call. A ring is inherited like a socket
 *   a supervisor (seccomp_unotify(2), ADDFD)        before the filter of its own that it answers for. If ptmon has one
 *                                                   itself nobody is dry (api/launch.c)
 *   a process that shares its fds (CLONE_FILES)     before the clone: both have the second filter then
 *   binder                                          before BINDER_WRITE_READ
 *   fork, vfork, clone                              the child has what its parent has
 *   execve                                          who is dry has none to keep; but ptmon's own child (api/launch.c)
 *   accept, recvmsg (SCM_RIGHTS), SCTP_PEELOFF ...  need a socket themselves
 *
 * It gets the filter, too, before it may lose the right to install one, or can't be written to: see is_source().
 *
 * The way: tracee->second->step. Each is a call in the place of the one that it stands before (detour.h). A signal that
 * comes in between is delivered at that call's instruction; its handler may make such a call as well, and goes on with
 * the steps. The program lies in memory that is mapped for it, for there is none that surely nobody uses.
 *
 * If the kernel takes no such filter (another thread has one of its own, it has not the right, there is no memory) all
 * calls of the process are seen by PTRACE_SYSCALL instead (loop/closely.c).
 */
#include "calls/dry.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "calls/call.h"
#include "calls/detour.h"
#include "calls/sandbox.h"
#include "machine/memory.h"
#include "machine/proc.h"
#include "process/behind.h"
#include "sockets/files.h"
#include "state/door.h"

#define ANYWHERE UINT64_MAX /* as fd of anonymous memory */

#define WAITS_MOST 16 /* that another thread is waited for, which may be kept by a handler that waits for this one */

enum dry_step { STEP_WAITS, STEP_MAPS, STEP_INSTALLS, STEP_UNMAPS };

struct second {
	struct detour detour;
	enum dry_step step;
	uint64_t address; /* of the memory, or 0 */
	unsigned int waits;
	bool failed;
};

static bool shares_files(uint64_t flags)
{
	return (flags & (CLONE_FILES | CLONE_THREAD)) == CLONE_FILES;
}

static bool shares_files_by_clone3(const struct tracee *tracee, uint64_t address)
{
	uint64_t flags;

	return memory_read(tracee->tid, address, &flags, sizeof(flags)) < 0 || shares_files(flags);
}

/* May it lose capabilities by that? Not if each of the ids that it asks for is 0 or the one that it has: as a shell's
 * children, and make's (POSIX_SPAWN_RESETIDS). cap_emulate_setxuid(), security/commoncap.c. */
static bool may_lose_capabilities(const struct syscall_entry *entry, const uint64_t args[6])
{
	static const char *const names[] = {"setuid", "setreuid", "setresuid"}; /* by their ids */

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strncmp(entry->name, names[i], strlen(names[i])) != 0)
			continue;
		for (unsigned int id = 0; id <= i; id++)
			if ((uint32_t)args[id] != 0 && (uint32_t)args[id] != UINT32_MAX)
				return true;
		return false;
	}
	return true;
}

static bool is_source(const struct tracee *tracee, enum abi abi, uint64_t number, const uint64_t args[6])
{
	const struct syscall_entry *entry = syscall_find(abi, number);

	if (!entry)
		return abi == ABI_X86_64 && number & X32_SYSCALL_BIT; /* which are not decoded */
	switch (entry->rule) {
	case RULE_SOCKET:
	case RULE_SOCKETCALL:
	case RULE_IO_URING:
	case RULE_PIDFD_GETFD:
	case RULE_BINDER:
		return true;
	case RULE_CLONE:
		return shares_files(args[0]);
	case RULE_CLONE3:
		return shares_files_by_clone3(tracee, args[0]);
	case RULE_SECCOMP:
	case RULE_PRCTL:
		/* Its own filter may forbid the calls of the steps, or bring a supervisor; and who is not dumpable
		 * can't be written to. */
		return sandbox_closes(entry, args);
	case RULE_CREDENTIALS:
		/* It may lose CAP_SYS_ADMIN, which a filter needs then. */
		return may_lose_capabilities(entry, args) && proc_status(tracee->tid, "NoNewPrivs:", 10) == 0;
	default:
		return false;
	}
}

/* struct sock_fprog, of either ABI, and behind it the program. */
static int write_program(const struct pt_tracer *t, const struct tracee *tracee, uint64_t address, bool compat)
{
	const uint16_t length = (uint16_t)t->second.length;
	const uint64_t program = address + 2 * sizeof(uint64_t);
	uint8_t head[2 * sizeof(uint64_t)] = {0};
	int error;

	memcpy(head, &length, sizeof(length));
	memcpy(head + (compat ? sizeof(uint32_t) : sizeof(uint64_t)), &program,
	       compat ? sizeof(uint32_t) : sizeof(uint64_t));
	error = memory_write_direct(tracee->tid, address, head, sizeof(head));
	if (!error)
		error = memory_write_direct(tracee->tid, program, t->second.program,
					    length * sizeof(struct sock_filter));
	return error;
}

static uint64_t size_of(const struct pt_tracer *t)
{
	return 2 * sizeof(uint64_t) + t->second.length * sizeof(struct sock_filter);
}

static bool make(const struct pt_tracer *t, struct tracee *tracee)
{
	static const int16_t numbers[][ABI_COUNT] = {
		[STEP_WAITS] = {24, 158, 124}, /* sched_yield */
		[STEP_MAPS] = {9, 192, 222},   /* mmap, mmap2 */
		[STEP_INSTALLS] = {317, 354, 277},
		[STEP_UNMAPS] = {11, 91, 215},
	};
	struct second *second = tracee->second;
	const uint64_t args[][6] = {
		[STEP_MAPS] = {0, size_of(t), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, ANYWHERE, 0},
		[STEP_INSTALLS] = {SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW,
				   second->address},
		[STEP_UNMAPS] = {second->address, size_of(t)},
	};

	return detour_make(tracee, &second->detour, numbers[second->step][tracee->call.abi], args[second->step]);
}

/* Another thread is on the way already. Many hundred may come to a first socket at once: each filter that is installed
 * stays, for all of them. */
static bool waits(const struct tracee *tracee, struct second *second)
{
	struct group *group = tracee->group;

	if (group->installer != tracee->tid && group->installer && second->waits < WAITS_MOST) {
		second->waits++;
		return true;
	}
	group->installer = tracee->tid;
	return false;
}

/* What comes next on the way. False: it has come to its end. */
static bool find_step(const struct tracee *tracee, struct second *second)
{
	const bool wanted = tracee->group->dry && !second->failed;

	if (!wanted && !second->address)
		return false;
	if (wanted && waits(tracee, second)) {
		second->step = STEP_WAITS;
		return true;
	}
	second->step = !wanted ? STEP_UNMAPS : second->address ? STEP_INSTALLS : STEP_MAPS;
	return true;
}

static enum dry arrive(struct tracee *tracee)
{
	free(tracee->second);
	tracee->second = NULL;
	if (tracee->group->installer == tracee->tid)
		tracee->group->installer = 0;
	return tracee->group->dry ? DRY_FAILS : DRY_GOES_ON;
}

enum dry dry_leave(struct pt_tracer *t, struct tracee *tracee, enum abi abi, uint64_t number, const uint64_t args[6])
{
	struct second *second = tracee->second;

	if (!second && (!tracee->group->dry || tracee->fresh || !is_source(tracee, abi, number, args)))
		return DRY_GOES_ON;
	if (!second) {
		second = tracee->second = calloc(1, sizeof(*second));
		if (!second)
			return DRY_FAILS;
		second->failed = fast_is_taken(t, tracee);
	}
	second->failed |= tracee->sandbox != SANDBOX_NONE;
	if (!find_step(tracee, second))
		return arrive(tracee);
	call_begin(t, tracee, abi, number, args);
	if (!make(t, tracee)) {
		second->address = 0;
		second->failed = true;
		return arrive(tracee);
	}
	tracee->call.stage = CALL_SECOND;
	return DRY_DETOURS;
}

/* All threads of the process have it. */
static void installed(struct pt_tracer *t, struct tracee *tracee)
{
	tracee->group->filters++;
	if (!tracee->group->dry)
		return; /* they had one before: another thread was faster */
	tracee->group->dry = false;
	behind_begin(t, tracee);
}

void dry_returned(struct pt_tracer *t, struct tracee *tracee, int64_t result)
{
	struct second *second = tracee->second;
	const bool failed = result < 0 && result > -4096;

	detour_end(tracee, &second->detour);
	switch (second->step) {
	case STEP_MAPS:
		second->address = failed ? 0 : (uint64_t)result;
		second->failed = failed || write_program(t, tracee, second->address, tracee->call.compat) < 0;
		break;
	case STEP_INSTALLS:
		/* More than 0: the thread that has a filter of its own. Another thread may have been faster. */
		if (result == 0)
			installed(t, tracee);
		else
			second->failed = true;
		break;
	case STEP_UNMAPS:
		second->address = 0;
		break;
	case STEP_WAITS:
		break;
	}
}

void dry_executed(struct pt_tracer *t, struct tracee *tracee)
{
	free(tracee->second); /* what a signal handler has left half-way: the memory is gone */
	tracee->second = NULL;
	if (!tracee->group->dry)
		files_wet(t, tracee);
}

void dry_end(struct pt_tracer *t, struct tracee *tracee)
{
	tracee->group->dry = false;
	tracee->group->closely = true;
	behind_begin(t, tracee);
}
