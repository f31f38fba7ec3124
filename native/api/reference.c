/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Readers for the reference engine, which drives its one tracee itself and asks only what python-ptrace does not know.
 */
#include <errno.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include "machine/memory.h"
#include "machine/pidfd.h"
#include "machine/registers.h"
#include "sockets/identify.h"
#include "syscalls/syscalls.h"

int pt_read_call(int tid, struct pt_call *call)
{
	struct __ptrace_syscall_info info = {0};
	struct registers regs;
	int error = registers_read(tid, &regs);
	bool compat;

	if (error)
		return error;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), &info) <= 0)
		return -errno;
	compat = abi_of(info.arch) != ABI_NATIVE;
	*call = (struct pt_call){
		.number = registers_number(&regs),
		.result = registers_result(&regs),
		.syscall = syscall_index(syscall_find(abi_of(info.arch), registers_number(&regs))),
		.compat = compat,
		.at_exit = info.op == PTRACE_SYSCALL_INFO_EXIT,
	};
	for (unsigned int i = 0; i < 6; i++)
		call->args[i] = registers_argument(&regs, i, compat);
	return 0;
}

int pt_read_instruction(int tid, uint64_t *out)
{
	struct registers regs;
	int error = registers_read(tid, &regs);

	if (!error)
		*out = registers_instruction(&regs);
	return error;
}

int pt_read_memory(int tid, uint64_t address, void *to, size_t length)
{
	return memory_read(tid, address, to, length);
}

static int32_t closed_of(const struct identity *identity)
{
	if (!identity->is_tcp || !tcp_closed(&identity->tcp))
		return 0;
	return identity->tcp.answered ? 2 : 1;
}

int pt_identify(int tid, int fd, const struct pt_identity *before, struct pt_identity *out)
{
	struct identity identity;
	int pidfd = pidfd_open_thread(tid);
	int found = identify(tid, pidfd, fd, &identity);

	if (pidfd >= 0)
		close(pidfd);
	if (found != 1)
		return found == -EBADF ? 0 : found;
	*out = (struct pt_identity){.info = identity.info,
				    .is_tcp = identity.is_tcp,
				    .active = identity.active,
				    .closed = closed_of(&identity)};
	if (before) {
		out->active = before->active;
		out->tcp = tcp_counters(&identity.tcp, before->active, before->tcp.bytes_sent,
					before->tcp.bytes_received);
		out->tcp.auditable = before->tcp.auditable;
	} else {
		out->tcp = tcp_counters(&identity.tcp, identity.active, 0, 0);
		out->tcp.auditable = identity.fresh;
	}
	return 1;
}
