/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * include/uapi/linux/net.h: SYS_*; net/socket.c: nargs; arch/x86/entry/syscalls/syscall_32.tbl: the direct calls.
 */
#include "calls/socketcall.h"

#include <errno.h>
#include <stddef.h>

#include "machine/memory.h"
#include "ptmon_api.h"
#include "syscalls/syscalls.h"

struct subcall {
	uint16_t number;     /* of the direct call; 0: none */
	uint8_t words;	     /* arguments */
	const char *counted; /* the call's name in the table, if it is there */
};

static const struct subcall subcalls[] = {
	[1] = {359, 3, NULL},	     /* socket */
	[2] = {361, 3, NULL},	     /* bind */
	[3] = {362, 3, "connect"},   /* connect */
	[4] = {363, 2, NULL},	     /* listen */
	[5] = {364, 3, NULL},	     /* accept: accept4 without flags */
	[6] = {367, 3, NULL},	     /* getsockname */
	[7] = {368, 3, NULL},	     /* getpeername */
	[8] = {360, 4, NULL},	     /* socketpair */
	[9] = {369, 4, "send"},	     /* send */
	[10] = {371, 4, "recv"},     /* recv */
	[11] = {369, 6, "sendto"},   /* sendto */
	[12] = {371, 6, "recvfrom"}, /* recvfrom */
	[13] = {373, 2, NULL},	     /* shutdown */
	[14] = {366, 5, NULL},	     /* setsockopt */
	[15] = {365, 5, NULL},	     /* getsockopt */
	[16] = {370, 3, "sendmsg"},  /* sendmsg */
	[17] = {372, 3, "recvmsg"},  /* recvmsg */
	[18] = {364, 4, NULL},	     /* accept4 */
	[19] = {337, 5, "recvmmsg"}, /* recvmmsg */
	[20] = {345, 4, "sendmmsg"}, /* sendmmsg */
};

static const struct subcall *find(uint64_t which)
{
	which = (uint32_t)which;
	return which < sizeof(subcalls) / sizeof(subcalls[0]) && subcalls[which].number ? &subcalls[which] : NULL;
}

uint64_t socketcall_direct(uint64_t which)
{
	const struct subcall *subcall = find(which);

	return subcall ? subcall->number : SOCKETCALL_NONE;
}

static int read_words(pid_t tid, const struct subcall *subcall, uint64_t from, uint64_t args[6])
{
	uint32_t words[6] = {0};
	int error = memory_read(tid, from, words, subcall->words * sizeof(words[0]));

	for (int i = 0; !error && i < 6; i++)
		args[i] = words[i];
	return error;
}

int socketcall_enter(pid_t tid, const struct syscall_entry **entry, uint64_t args[6])
{
	const struct subcall *subcall = find(args[0]);

	*entry = subcall && subcall->counted ? syscall_named(subcall->counted) : NULL;
	return *entry ? read_words(tid, subcall, args[1], args) : 0;
}

int socketcall_unpack(pid_t tid, struct pt_call *call)
{
	const struct subcall *subcall = find(call->args[0]);
	int error = subcall ? read_words(tid, subcall, call->args[1], call->args) : -EINVAL;

	if (error)
		return error;
	call->number = subcall->number;
	call->syscall = syscall_index(syscall_find(ABI_I386, subcall->number));
	return 0;
}
