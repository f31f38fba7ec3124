/* SPDX-License-Identifier: GPL-2.0-or-later
 * Calls that wait for what was submitted to the kernel: Linux AIO and io_uring. See blocking.h. */
#include <linux/aio_abi.h>
#include <linux/io_uring.h>

#include "blocking.h"

static aio_context_t context;
static struct io_uring_params ring_parameters;

static void aio(void)
{
	must(syscall(SYS_io_setup, 8, &context) == 0);
}

static long await_aio(void)
{
	struct io_event event;
	struct timespec time = limit();

	return syscall(SYS_io_getevents, context, 1, 1, &event, &time);
}

static void ring(void)
{
	near = (int)syscall(SYS_io_uring_setup, 4, &ring_parameters);
	must(near >= 0);
}

static long await_ring(void)
{
	return syscall(SYS_io_uring_enter, near, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0);
}

static long await_ring_limited(void)
{
	struct timespec time = limit();
	struct io_uring_getevents_arg argument = {.ts = (size_t)&time};

	return syscall(SYS_io_uring_enter, near, 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &argument,
		       sizeof argument);
}

/* Submits the first entry, which is all zero: IORING_OP_NOP. */
static void complete_one(void)
{
	char *submissions = mmap(NULL, ring_parameters.sq_off.array + 4 * ring_parameters.sq_entries,
				 PROT_READ | PROT_WRITE, MAP_SHARED, near, IORING_OFF_SQ_RING);

	must(submissions != MAP_FAILED);
	*(atomic_uint *)(void *)(submissions + ring_parameters.sq_off.tail) += 1;
	must(syscall(SYS_io_uring_enter, near, 1, 0, 0, NULL, 0) == 1);
}

int main(int argc, char **argv)
{
	static const struct row rows[] = {
		EXPIRES("io_getevents", aio, await_aio),
		ENDS("io_uring_enter", ring, await_ring, complete_one),
		EXPIRES("io_uring_enter-limited", ring, await_ring_limited),
		{0},
	};

	return make_one_of(rows, argc, argv);
}
