/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "calls/aio.h"

#include <errno.h>
#include <linux/aio_abi.h>

#include "machine/memory.h"
#include "records/emit.h"
#include "sockets/files.h"

#define MOST_IOCBS 1024 /* that are looked at in one io_submit: no program is known to come near */

/* 1, 0, or -errno: it can't be known. */
static int is_on_socket(struct pt_tracer *t, struct tracee *tracee, uint64_t pointers, unsigned int index)
{
	size_t width = tracee->call.compat ? sizeof(uint32_t) : sizeof(uint64_t);
	uint64_t address = 0;
	struct socket *socket;
	struct iocb iocb;
	int error = memory_read(tracee->tid, pointers + index * width, &address, width);

	if (!error)
		error = memory_read(tracee->tid, address, &iocb, sizeof(iocb));
	if (error)
		return error == -EFAULT ? 0 : error; /* the kernel can't read what is not there, either */
	return files_lookup(t, tracee, (int)iocb.aio_fildes, &socket);
}

bool aio_enter(struct pt_tracer *t, struct tracee *tracee)
{
	const struct call *call = &tracee->call;
	uint64_t count = call->args[1];

	if (tracee->group->warned & 1u << PT_REASON_AIO)
		return false;
	for (unsigned int i = 0; i < count && i < MOST_IOCBS; i++) {
		int found = is_on_socket(t, tracee, call->args[2], i);

		if (found < 0)
			emit_warning(t, tracee, PT_REASON_UNREADABLE, call->entry, -found);
		if (found == 1)
			emit_warning(t, tracee, PT_REASON_AIO, call->entry, 0);
		if (found)
			break;
	}
	return false;
}
