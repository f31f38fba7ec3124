/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fast/count/fallback.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ptrace.h>

#include "fast/image/layout.h"
#include "machine/proc.h"
#include "machine/registers.h"
#include "process/tracee.h"
#include "records/debug.h"
#include "records/emit.h"

#ifndef PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG
#define PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG 0x4211 /* include/uapi/linux/ptrace.h */
#endif

#define HWCAP2_FSGSBASE 2 /* arch/x86/include/uapi/asm/hwcap2.h: programs may read their thread pointer */

void fallback_report(struct pt_tracer *t, struct tracee *tracee, enum pt_fallback reason, int error)
{
	struct pt_record *record;

	if (tracee->group->fast.fallen & 1u << reason)
		return;
	tracee->group->fast.fallen |= 1u << reason;
	debug(t, PT_DEBUG_FELL_BACK, tracee->group->tgid,
	      (struct pt_debug_entry){.status = (int32_t)reason, .error = error});
	record = emit(t, PT_FALLBACK, tracee, NULL, 0);
	if (record) {
		record->value = (int32_t)reason;
		record->error = error;
	}
}

enum pt_fallback fallback_of(int error)
{
	switch (error) {
	case -EEXIST:
		return PT_FALLBACK_TAKEN;
	case -ENOSPC:
		return PT_FALLBACK_ROOM;
	case -EPERM: /* of process_vm_writev(2); of mmap(2) it is a security module's word */
	case -EFAULT:
		return PT_FALLBACK_UNREADABLE;
	default:
		return PT_FALLBACK_MEMORY;
	}
}

/* prctl(PR_SET_SYSCALL_USER_DISPATCH) of before. Before Linux 6.4 nobody can tell. */
static bool is_dispatched(pid_t tid)
{
	struct {
		uint64_t mode, selector, offset, length;
	} config = {0};

	return ptrace(PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG, tid, sizeof(config), &config) == 0 && config.mode;
}

/* Do all threads of its process have its fds, and nobody else? */
static bool is_alone_with_fds(struct pt_tracer *t, const struct tracee *of)
{
	struct tracee *tracee;

	for_each_tracee (t, tracee) {
		bool same = tracee->files == of->files;

		if (tracee->group == of->group ? !same : same && tracee->files)
			return false;
	}
	return true;
}

/* Its addresses or its data are limited, so that it may find no room where there would be some without ours; or it has
 * locked memory, perhaps for all that will ever be mapped. */
static bool is_limited(pid_t pid)
{
	char path[64], line[256];
	unsigned int unlimited = 0;
	FILE *limits;

	snprintf(path, sizeof(path), "/proc/%d/limits", (int)pid);
	limits = fopen(path, "re");
	while (limits && fgets(line, sizeof(line), limits)) {
		bool space = strncmp(line, "Max address space ", 18) == 0,
		     data = strncmp(line, "Max data size ", 14) == 0;

		unlimited += (space || data) && strlen(line) > 26 && strncmp(line + 26, "unlimited ", 10) == 0;
	}
	if (limits)
		fclose(limits);
	return unlimited != 2 || proc_status(pid, "VmLck:", 10) != 0;
}

bool fallback_none(struct pt_tracer *t, struct tracee *tracee)
{
	struct registers regs;
	enum pt_fallback reason;

	if (t->foreign_proc)
		reason = PT_FALLBACK_PROC;
	else if (!(getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE))
		reason = PT_FALLBACK_MACHINE;
	else if (tracee->sandbox || (!t->filtered && proc_status(tracee->tid, "Seccomp:", 10) > 0))
		reason = PT_FALLBACK_SANDBOX;
	else if (is_dispatched(tracee->tid))
		reason = PT_FALLBACK_DISPATCH;
	else if (!is_alone_with_fds(t, tracee))
		reason = PT_FALLBACK_DESCRIPTORS;
	else if (tracee->files->unsure)
		reason = PT_FALLBACK_RINGS;
	else if (tracee->group->threads > FAST_THREADS / 4)
		reason = PT_FALLBACK_THREADS;
	else if (registers_read(tracee->tid, &regs) == 0 && registers_compat(&regs))
		reason = PT_FALLBACK_COMPAT;
	else if (is_limited(tracee->tid))
		reason = PT_FALLBACK_LIMITED;
	else
		return true;
	fallback_report(t, tracee, reason, 0);
	return false;
}
