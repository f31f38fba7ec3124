/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A stop before a call costs as much as one behind it. So if what keeps the call from being counted in its stub can be
 * mended at the first, it is, and the second is not needed.
 */
#include "fast/retry.h"

#include "calls/restart.h"
#include "fast/count/ring.h"
#include "fast/count/slots.h"
#include "fast/door.h"
#include "fast/image/layout.h"
#include "records/debug.h"
#include "sockets/files.h"

uint64_t retry_at(const struct fast_site *site)
{
	return site->stub_at + FAST_ROOM_BEFORE;
}

/* Is it a call that moves bytes, and need not stop whatever its fd is? */
static bool may_pass(const struct image *image, uint64_t number)
{
	for (unsigned int i = FAST_CLOSES; i < FAST_CALLS; i++)
		if (fast_calls[i] == number)
			return !(image->flags >> i & 1);
	return false;
}

/* Finds out what the fd is. If the call has to stop for another reason, too, it will, for now the fd is known. */
static bool learns(struct pt_tracer *t, struct image *image, struct tracee *tracee, unsigned int fd)
{
	struct socket *socket;

	return slots_unknown(image, fd) && files_lookup(t, tracee, (int)fd, &socket) >= 0 && slots_pass(image, fd);
}

bool retry_passes(struct pt_tracer *t, struct image *image, struct tracee *tracee, const struct registers *regs,
		  uint64_t number)
{
	if (!may_pass(image, number))
		return false;
	if (!ring_was_full(image, registers_thread_pointer(regs)) &&
	    !learns(t, image, tracee, (unsigned int)registers_argument(regs, 0, false)))
		return false;
	debug(t, PT_DEBUG_RETRY, tracee->tid,
	      (struct pt_debug_entry){.number = number, .address = registers_instruction(regs)});
	return true;
}

bool door_tries_again(struct pt_tracer *t, struct tracee *tracee, uint64_t instruction, uint64_t number)
{
	struct image *image = tracee->group->fast.image;
	const struct fast_site *site = image && image->stage < IMAGE_WITHDRAWN
					       ? image_twin_of(image, instruction, &(uint32_t){0})
					       : NULL;
	struct registers regs;

	if (!site || !may_pass(image, number) || registers_read(tracee->tid, &regs) < 0 ||
	    !retry_passes(t, image, tracee, &regs, number))
		return false;
	restart_forget(t, tracee); /* what has interrupted it before is over */
	/* Without a number the kernel makes no call, and leaves rax as it is. */
	registers_set_result(&regs, (int64_t)number);
	registers_forget_call(&regs);
	registers_set_instruction(&regs, retry_at(site));
	return registers_write(tracee->tid, &regs) == 0;
}
